package dialog

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// ParseVersions reads which TLS versions are allowed: one ("1.2", "TLSv1.2",
// "tlsv1_2" as swaks has it), a range ("1.0-1.2", "1.2-", "-1.1", and "1.2+" for
// "1.2-"), or a list as swaks has it, of versions that are allowed
// ("tlsv1_1,tlsv1_2") or of those that are not ("no_tlsv1,no_tlsv1_1"). A 0 for
// the newest leaves it to the library. A handshake offers a range, so a list
// with a gap is an error.
func ParseVersions(text string) (oldest, newest uint16, err error) {
	words := splitList(strings.ReplaceAll(text, "TLS 1", "TLS1"))
	if len(words) == 0 {
		return 0, 0, fmt.Errorf("no TLS version in %q", text)
	}
	if len(words) == 1 && !isNo(words[0]) {
		if word, ok := strings.CutSuffix(words[0], "+"); ok {
			oldest, err = parseVersion(word)
			return oldest, 0, err
		}
		if from, to, ok := strings.Cut(words[0], "-"); ok {
			return parseRange(from, to)
		}
	}
	all := []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13}
	allowed := map[uint16]bool{}
	for _, word := range words {
		if isNo(word) != isNo(words[0]) {
			return 0, 0, fmt.Errorf("TLS versions %q: a list says what is allowed, or what is not", text)
		}
	}
	if isNo(words[0]) {
		for _, v := range all {
			allowed[v] = true
		}
	}
	for _, word := range words {
		name := word
		if isNo(word) {
			if name = word[len("no_"):]; isSSL(name) {
				continue // it never is
			}
		}
		v, err := parseVersion(name)
		if err != nil {
			return 0, 0, err
		}
		allowed[v] = !isNo(word)
	}
	gap := false
	for _, v := range all {
		switch {
		case allowed[v] && gap:
			return 0, 0, fmt.Errorf("TLS versions %q: %s is left out between two others, and a handshake offers a range", text, tls.VersionName(v-1))
		case allowed[v]:
			if newest = v; oldest == 0 {
				oldest = v
			}
		case oldest != 0:
			gap = true
		}
	}
	if oldest == 0 {
		return 0, 0, fmt.Errorf("TLS versions %q: none is left", text)
	}
	return oldest, newest, nil
}

func parseRange(from, to string) (oldest, newest uint16, err error) {
	oldest = tls.VersionTLS10
	if from != "" {
		if oldest, err = parseVersion(from); err != nil {
			return 0, 0, err
		}
	}
	if to != "" {
		if newest, err = parseVersion(to); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case from == "" && to == "":
		return 0, 0, fmt.Errorf("no TLS version in %q", "-")
	case newest != 0 && newest < oldest:
		return 0, 0, fmt.Errorf("TLS versions %s-%s: the range is empty", from, to)
	}
	return oldest, newest, nil
}

// parseVersion reads one version: "1.2", "TLS1.2", "TLS 1.2", "TLSv1.2", "tlsv1_2".
func parseVersion(text string) (uint16, error) {
	name := strings.ToLower(strings.TrimSpace(text))
	if isSSL(name) {
		return 0, fmt.Errorf("TLS version %q: the Go library has no SSL, which is broken (RFC 7568)", text)
	}
	name = strings.TrimLeft(strings.TrimPrefix(name, "tls"), " v")
	switch strings.ReplaceAll(name, "_", ".") {
	case "1", "1.0":
		return tls.VersionTLS10, nil
	case "1.1":
		return tls.VersionTLS11, nil
	case "1.2":
		return tls.VersionTLS12, nil
	case "1.3":
		return tls.VersionTLS13, nil
	}
	return 0, fmt.Errorf("unknown TLS version %q: it is 1.0, 1.1, 1.2 or 1.3", text)
}

func isNo(word string) bool  { return len(word) > 3 && strings.EqualFold(word[:3], "no_") }
func isSSL(word string) bool { return len(word) >= 3 && strings.EqualFold(word[:3], "ssl") }

// splitList parts a list at commas, colons and spaces.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ':' || r == ' ' })
}

// Suites are the cipher suites of TLS 1.0 to 1.2 that can be offered, also those
// that are insecure: what a server chooses is to be seen.
func Suites() []uint16 {
	var ids []uint16
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] < tls.VersionTLS13 {
			ids = append(ids, suite.ID)
		}
	}
	return ids
}

// ParseSuites reads a list of cipher suites of TLS 1.0 to 1.2, parted by commas
// or colons, each by its IANA name or by OpenSSL's.
func ParseSuites(text string) ([]uint16, error) {
	var ids []uint16
	for _, word := range splitList(text) {
		id, err := parseSuite(word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no cipher suite in %q", text)
	}
	return ids, nil
}

func parseSuite(word string) (uint16, error) {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		switch old := suite.SupportedVersions[0] < tls.VersionTLS13; {
		case !strings.EqualFold(word, suite.Name) && !strings.EqualFold(word, OpenSSLSuite(suite.ID)):
		case !old:
			return 0, fmt.Errorf("cipher suite %s: it is of TLS 1.3, whose suites the Go library does not let one choose", word)
		default:
			return suite.ID, nil
		}
	}
	upper := strings.ToUpper(word)
	switch {
	case strings.HasPrefix(upper, "TLS_") || strings.Contains(upper, "-") && !strings.ContainsAny(upper, "!+@"):
		return 0, fmt.Errorf("cipher suite %s: the Go library has none of that name", word)
	case strings.ContainsAny(word, "!+-@=") || upper == "HIGH" || upper == "MEDIUM" || upper == "LOW" || upper == "ALL" || upper == "DEFAULT":
		return 0, fmt.Errorf("cipher suite %s: OpenSSL's words for many suites are not known here; name each suite", word)
	}
	return 0, fmt.Errorf("unknown cipher suite %s", word)
}

// OpenSSLSuite is what OpenSSL calls a cipher suite of TLS 1.0 to 1.2; "" if that
// is not known.
func OpenSSLSuite(id uint16) string {
	name := strings.TrimPrefix(tls.CipherSuiteName(id), "TLS_")
	exchange, cipher, ok := strings.Cut(name, "_WITH_")
	if !ok {
		return "" // TLS 1.3, or unknown
	}
	// OpenSSL leaves out RSA as the key exchange, "CBC", and the hash of ChaCha20.
	exchange = strings.ReplaceAll(exchange, "_", "-") + "-"
	if exchange == "RSA-" {
		exchange = ""
	}
	cipher = strings.NewReplacer("AES_128", "AES128", "AES_256", "AES256", "3DES_EDE_CBC", "DES-CBC3", "RC4_128", "RC4",
		"_CBC", "", "CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305").Replace(cipher)
	return exchange + strings.ReplaceAll(cipher, "_", "-")
}

// Groups are the groups for key exchange that can be offered, as the library
// prefers them.
func Groups() []tls.CurveID {
	return []tls.CurveID{
		tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521,
	}
}

// ParseGroups reads a list of groups, parted by commas or colons, by their names
// in the registry ("secp256r1"), at NIST ("P-256") or in OpenSSL ("prime256v1").
func ParseGroups(text string) ([]tls.CurveID, error) {
	var ids []tls.CurveID
	for _, word := range splitList(text) {
		id, err := parseGroup(word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no group in %q", text)
	}
	return ids, nil
}

func parseGroup(word string) (tls.CurveID, error) {
	switch name := strings.ToLower(strings.ReplaceAll(word, "-", "")); name {
	case "p256", "secp256r1", "prime256v1", "curvep256":
		return tls.CurveP256, nil
	case "p384", "secp384r1", "curvep384":
		return tls.CurveP384, nil
	case "p521", "secp521r1", "curvep521":
		return tls.CurveP521, nil
	default:
		for _, id := range Groups() {
			if name == strings.ToLower(id.String()) {
				return id, nil
			}
		}
		if strings.HasPrefix(name, "ffdhe") || strings.HasPrefix(name, "brainpool") || name == "x448" || strings.HasPrefix(name, "secp") || strings.HasPrefix(name, "mlkem") {
			return 0, fmt.Errorf("group %s: the Go library has none of that name", word)
		}
	}
	var known []string
	for _, id := range Groups() {
		known = append(known, id.String())
	}
	return 0, fmt.Errorf("unknown group %s: there are %s", word, strings.Join(known, ", "))
}
