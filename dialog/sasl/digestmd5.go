package sasl

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// digestMD5 is DIGEST-MD5 (RFC 2831) with qop=auth: no layer of its own below
// the conversation. The server proves itself in its last challenge.
type digestMD5 struct {
	Credentials
	uri    string // digest-uri: serv-type/host
	cnonce string
	stage  stage
	want   string // the value of rspauth
}

func newDigestMD5(c Credentials) (Client, error) {
	if err := c.login("DIGEST-MD5"); err != nil {
		return nil, err
	}
	if c.Host == "" {
		return nil, &LackError{"DIGEST-MD5", "the server's name, which is part of the digest"}
	}
	cnonce, err := c.nonce()
	if err != nil {
		return nil, err
	}
	return &digestMD5{Credentials: c, uri: "smtp/" + c.Host, cnonce: cnonce}, nil
}

func (d *digestMD5) Start() (Message, bool, error) { return Message{}, false, nil }

func (d *digestMD5) Next(challenge []byte) (Message, error) {
	at := d.stage
	d.stage = broken
	switch at {
	case challengeDue:
		c, err := parseDigestChallenge(string(challenge))
		if err != nil {
			return Message{}, d.breach("the challenge cannot be used: " + err.Error())
		}
		m, err := d.answer(c)
		if err == nil {
			d.stage = proofDue
		}
		return m, err
	case proofDue:
		list, err := parseDirectives(string(challenge))
		if err != nil {
			return Message{}, d.breach("the server's last message cannot be used: " + err.Error())
		}
		k := slices.IndexFunc(list, func(v directive) bool { return v.name == "rspauth" })
		if k < 0 {
			return Message{}, d.breach("the server's last message " + d.quote(string(challenge)) + " has no rspauth")
		}
		if subtle.ConstantTimeCompare([]byte(strings.ToLower(list[k].value)), []byte(d.want)) != 1 {
			return Message{}, d.breach("the server did not prove that it knows the password: its rspauth is wrong")
		}
		d.stage = proven
		return Message{}, nil
	default:
		return Message{}, d.breach("the server asks for more than the mechanism has")
	}
}

// Done is an error unless the server has proved that it knows the password.
func (d *digestMD5) Done() error {
	if d.stage != proven {
		return d.breach("the server did not prove that it knows the password")
	}
	return nil
}

// Tell hides the server's proof; any other challenge is text that says it all.
func (d *digestMD5) Tell(challenge []byte) string {
	list, err := parseDirectives(string(challenge))
	if err == nil && len(list) > 0 && list[0].name == "rspauth" {
		return "rspauth=" + transcript.Hidden
	}
	return ""
}

// answer is the digest-response (RFC 2831 section 2.1.2).
func (d *digestMD5) answer(c digestChallenge) (Message, error) {
	const count, qop = "00000001", "auth"
	user, ok := latin1(d.User)
	if !ok && !c.utf8 {
		return Message{}, d.breach("the server reads no UTF-8, and the user name is not in ISO 8859-1")
	}
	password, ok := latin1(d.Password.Reveal())
	if !ok && !c.utf8 {
		return Message{}, d.breach("the server reads no UTF-8, and the password is not in ISO 8859-1")
	}
	realm := d.realm(c.realms)

	// The hash takes ISO 8859-1 for each of the two that it can write, also when
	// the directives are in UTF-8 (section 2.1.2.1).
	secret := md5.Sum([]byte(user + ":" + realm + ":" + password))
	a1 := string(secret[:]) + ":" + c.nonce + ":" + d.cnonce
	if d.Authzid != "" {
		a1 += ":" + d.Authzid
	}
	digest := func(a2 string) string {
		return md5Hex(md5Hex(a1) + ":" + c.nonce + ":" + count + ":" + d.cnonce + ":" + qop + ":" + md5Hex(a2))
	}
	response := digest("AUTHENTICATE:" + d.uri)
	d.want = digest(":" + d.uri)

	var head strings.Builder
	if c.utf8 {
		user = d.User
		head.WriteString("charset=utf-8,")
	}
	head.WriteString("username=" + quoted(user))
	if realm != "" {
		head.WriteString(",realm=" + quoted(realm))
	}
	head.WriteString(",nonce=" + quoted(c.nonce) + ",nc=" + count + ",cnonce=" + quoted(d.cnonce) +
		",digest-uri=" + quoted(d.uri) + ",qop=" + qop)
	if d.Authzid != "" {
		head.WriteString(",authzid=" + quoted(d.Authzid))
	}
	head.WriteString(",response=")
	data := head.String() + response
	return Message{
		Data:  []byte(data),
		Shape: d.mask(head.String()) + transcript.Hidden,
		Secrets: []transcript.Secret{
			d.Password, transcript.NewSecret(response), unhex(response), transcript.NewSecret(data),
		},
		Awaited: []transcript.Secret{transcript.NewSecret(d.want), transcript.NewSecret("rspauth=" + d.want)},
	}, nil
}

// realm chooses one of the server's realms: the one that the user name ends with
// behind an @, or else the first. With none there is none to be sent.
func (d *digestMD5) realm(realms []string) string {
	if at := strings.LastIndexByte(d.User, '@'); at >= 0 {
		if k := slices.IndexFunc(realms, func(r string) bool { return strings.EqualFold(r, d.User[at+1:]) }); k >= 0 {
			return realms[k]
		}
	}
	if len(realms) == 0 {
		return ""
	}
	return realms[0]
}

func (d *digestMD5) breach(reason string) error {
	return &Error{Mechanism: "DIGEST-MD5", Reason: reason}
}

// quoted is a quoted-string (RFC 2831 section 7.2).
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// unhex is the bytes of a digest, which a server may write in another way.
func unhex(digest string) transcript.Secret {
	sum, _ := hex.DecodeString(digest)
	return transcript.NewSecret(string(sum))
}

// latin1 is s in ISO 8859-1, or s itself and false if it cannot be written so.
func latin1(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return s, false
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s, false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}
