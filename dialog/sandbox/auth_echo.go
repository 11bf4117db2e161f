package sandbox

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// Echo refuses with 535 and repeats what the client must not see again: its
// password or token raw, in base64, percent-encoded and in hex, and the responses
// that it sent, as they came.
func Echo() Act { return Act{kind: actEcho} }

// echo writes what Echo says, and keeps it from the log.
func (x *session) echo() error {
	var said []string
	if e := x.auth; e != nil {
		if e.secret != "" {
			said = append(said, "no such password: "+e.secret,
				"base64 "+base64.StdEncoding.EncodeToString([]byte(e.secret)),
				"percent-encoded "+url.PathEscape(e.secret),
				"hex "+hex.EncodeToString([]byte(e.secret)))
		}
		for _, line := range slices.DeleteFunc(slices.Clone(e.heard), func(line string) bool { return line == "" }) {
			said = append(said, "you said "+line)
		}
	}
	breaks := strings.NewReplacer("\r", " ", "\n", " ")
	for _, text := range said {
		x.log("S:", "535-5.7.8 [hidden]")
		if _, err := x.out.WriteString("535-5.7.8 " + breaks.Replace(text) + "\r\n"); err != nil {
			return err
		}
	}
	return x.write([]string{"535 5.7.8 authentication failed"})
}
