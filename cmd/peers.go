package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// peers are the certificates of the servers of a run, for --tls-get-peer-chain.
type peers struct {
	path string // "" keeps nothing
	seen map[string]bool
	text strings.Builder
}

// add keeps what a server showed, below a line that says who it was: what stands
// outside of the certificates is a comment in PEM (RFC 7468 section 2).
func (p *peers) add(v reach.Visit) {
	if p.path == "" || v.Report.TLS == nil {
		return
	}
	chain := string(dialog.EncodeChain(v.Report.TLS.Chain))
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	if key := v.Addr + chain; !p.seen[key] {
		p.seen[key] = true
		fmt.Fprintf(&p.text, "# %s at %s\n%s", v.Hop.Host, v.Addr, chain)
	}
}

// save writes the file, whole or not at all. The error is an *outputError.
func (p *peers) save() error {
	if p.path == "" || p.text.Len() == 0 {
		return nil
	}
	err := writeAnew(p.path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, p.text.String())
		return err
	})
	if err != nil {
		var why syscall.Errno
		if errors.As(err, &why) {
			err = why // without the name of the file on the way to ours
		}
		return &outputError{fmt.Errorf("--tls-get-peer-chain %s: %w", p.path, err)}
	}
	return nil
}
