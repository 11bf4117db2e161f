package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Received is a message that a server took.
type Received struct {
	ID     string    // the queue id of its reply: sandbox-1, sandbox-2, ...
	At     time.Time // by Options.Now
	Host   string    // mx1.good.test
	Helo   string    // what the client called itself
	Client string    // its address
	User   string    // who had authenticated; "": nobody
	// Claims are what XCLIENT said of the client, Origin what XFORWARD said of where the
	// message came from: NAME=value, decoded.
	Claims, Origin []string
	// Protocol is how it came, by RFC 3848 and RFC 6531: SMTP, ESMTP, ESMTPS, ESMTPSA,
	// LMTP, UTF8SMTP, UTF8SMTPS, ...
	Protocol string
	TLS      uint16 // the version by crypto/tls; 0: in the clear
	From     string // "" is the null sender
	Params   []string
	To       []Recipient // the accepted ones
	Data     []byte      // as it was before dot-stuffing
	Chunked  bool        // it came by BDAT
}

// Recipient is an accepted recipient with its parameters, as KEYWORD=value.
type Recipient struct {
	Address string
	Params  []string
}

// deliver keeps a message in the Maildir and tells Received of it.
func (x *session) deliver(e *envelope, id string) error {
	r := Received{
		ID: id, At: x.world.opt.Now(), Host: x.name, Helo: x.helo, Client: x.client, User: x.user,
		Claims: x.claims, Origin: x.origin, Protocol: x.protocol(e), From: e.from, Params: e.params, To: e.to,
		Data: e.body.text.Bytes(), Chunked: e.chunked,
	}
	if x.state != nil {
		r.TLS = x.state.Version
	}
	if x.world.opt.Maildir != "" {
		for i := range r.To {
			if err := r.keep(x.world.opt.Maildir, i); err != nil {
				return fmt.Errorf("maildir: %w", err)
			}
		}
	}
	if x.world.opt.Received != nil {
		x.world.tell.Lock()
		defer x.world.tell.Unlock()
		x.world.opt.Received(r)
	}
	return nil
}

func (x *session) protocol(e *envelope) string {
	p := "SMTP"
	switch {
	case e.utf8 && x.spec.LMTP:
		p = "UTF8LMTP"
	case e.utf8:
		p = "UTF8SMTP"
	case x.spec.LMTP:
		p = "LMTP"
	case x.esmtp:
		p = "ESMTP"
	}
	if x.state != nil && x.esmtp {
		p += "S"
	}
	if x.user != "" {
		p += "A"
	}
	return p
}

// keep writes the message for one recipient, first to tmp, then to new, where a
// reader may find it. Its bytes follow Return-Path and Delivered-To unchanged.
func (r Received) keep(dir string, to int) error {
	name := fmt.Sprintf("%d.P%d_%s_%d.%s", r.At.Unix(), os.Getpid(), r.ID, to, r.Host)
	head := fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\n", r.From, r.To[to].Address)
	tmp := filepath.Join(dir, "tmp", name)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append([]byte(head), r.Data...))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, "new", name))
	}
	if err != nil {
		_ = os.Remove(tmp)
	}
	return err
}
