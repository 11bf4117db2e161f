package policy

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Reports says where a domain wants reports on TLS, by its TLS-RPT record (RFC 8460
// section 3).
type Reports struct {
	Domain   string   // as the DNS has it
	Stage    Stage    // NoRecord, Unknown, BadRecord, or Fetched if the record counts
	Record   string   // as it came
	To       []string // mailto: and https: URIs
	Server   string   // the DNS server that answered
	Err      error    // why the record does not count, or is not known
	Findings []route.Finding
	Took     time.Duration
}

const reportsVersion = "v=TLSRPTv1"

// FindReports looks for the TLS-RPT record of domain, which may be in any script. It
// never fails: what stands in the way is in Stage and Err.
func FindReports(ctx context.Context, r route.Resolver, domain string) *Reports {
	start := time.Now()
	p := &Reports{Domain: domain}
	p.find(ctx, r)
	p.Took = time.Since(start)
	return p
}

func (p *Reports) find(ctx context.Context, r route.Resolver) {
	_, ascii, err := route.ParseDomain(p.Domain)
	if err != nil {
		p.Err = err
		return
	}
	p.Domain = ascii
	texts, server, err := texts(ctx, r, "_smtp._tls."+ascii)
	p.Server = server
	if err != nil {
		p.Stage, p.Err = Unknown, err
		return
	}
	record, found, err := choose(texts, reportsVersion)
	p.Record = record
	if err == nil && found {
		err = p.read(record)
	}
	switch {
	case err != nil:
		p.Stage, p.Err = BadRecord, err
	case found:
		p.Stage = Fetched
	}
}

// read takes the record apart. A URI of another scheme is passed over: RFC 8460
// section 3 leaves room for more.
func (p *Reports) read(record string) error {
	found, err := fieldsOf(record, reportsVersion, "rua")
	if err != nil {
		return err
	}
	given := false
	for _, f := range found {
		if f.name != "rua" {
			continue
		}
		if given {
			p.finding("tlsrpt-rua-again", "rua comes again: not every sender reads more than the first")
		}
		given = true
		for item := range strings.SplitSeq(f.value, ",") {
			p.add(strings.Trim(item, " \t"))
		}
	}
	switch {
	case !given:
		return fmt.Errorf("it has no rua")
	case len(p.To) == 0:
		return fmt.Errorf("rua names no place that reports can go to")
	}
	return nil
}

// add takes one URI of rua.
func (p *Reports) add(item string) {
	if len(p.To) == maxReported {
		p.finding("tlsrpt-many", "more than %d places for reports: the rest is passed over", maxReported)
		return
	}
	u, err := url.Parse(item)
	switch {
	case err != nil || strings.ContainsAny(item, "! \t"):
		p.finding("tlsrpt-uri", "%s is no URI", quote(item))
	case u.Scheme == "mailto" && !strings.Contains(strings.Trim(u.Opaque, "@"), "@"):
		p.finding("tlsrpt-uri", "%s names no mailbox", quote(item))
	case u.Scheme == "https" && u.Hostname() == "":
		p.finding("tlsrpt-uri", "%s names no host", quote(item))
	case u.Scheme != "mailto" && u.Scheme != "https":
		p.finding("tlsrpt-uri", "%s is neither mailto: nor https: (RFC 8460 section 3)", quote(item))
	default:
		p.To = append(p.To, item)
	}
}

// finding notes something once.
func (p *Reports) finding(id, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, f := range p.Findings {
		if f.Text == text {
			return
		}
	}
	if len(p.Findings) < maxReported {
		p.Findings = append(p.Findings, route.Finding{ID: id, Text: text})
	}
}
