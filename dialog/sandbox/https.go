package sandbox

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// policyPath is where a domain's MTA-STS policy is (RFC 8461 section 3.3).
const policyPath = "/.well-known/mta-sts.txt"

// maxRequest bounds the head of a request.
const maxRequest = 16 << 10

// web answers one HTTP request with the service's page, and closes.
func (x *session) web() error {
	req, err := http.ReadRequest(bufio.NewReader(io.LimitReader(x.r, maxRequest)))
	if err != nil {
		return fmt.Errorf("HTTP request: %w", err)
	}
	x.log("C:", req.Method+" "+req.URL.Path)
	page := x.spec.Page.at(req.URL.Path)
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		page = Page{Status: http.StatusMethodNotAllowed}
	}
	body := page.filled()
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nConnection: close\r\n", page.Status, http.StatusText(page.Status), page.Type)
	if !page.Endless { // else its end is that of the connection (RFC 9112 section 6.3)
		fmt.Fprintf(&head, "Content-Length: %d\r\n", len(body))
	}
	if page.Location != "" {
		fmt.Fprintf(&head, "Location: https://%s%s\r\n", x.name, page.Location)
	}
	x.log("S:", fmt.Sprintf("%d %s, %d octets", page.Status, page.Type, len(body)))
	if _, err := x.out.WriteString(head.String() + "\r\n"); err != nil {
		return err
	}
	if req.Method != http.MethodHead {
		if err := x.page(body, page); err != nil {
			return err
		}
	}
	if err := x.out.Flush(); err != nil {
		return err
	}
	return errQuit
}

// at is what is found at a path, with nothing left out.
func (p Page) at(path string) Page {
	switch {
	case p.Location != "" && path == p.Location:
		p = Page{Type: p.Type, Body: p.Body}
	case path != policyPath:
		p = Page{Status: http.StatusNotFound}
	case p.Location != "":
		p.Body = ""
	}
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	if p.Type == "" {
		p.Type = "text/plain"
	}
	return p
}

// filled is the body in its whole length.
func (p Page) filled() string {
	const field = "x-fill: sandbox\r\n"
	if missing := p.Fill - len(p.Body); missing > 0 {
		return (p.Body + strings.Repeat(field, missing/len(field)+1))[:p.Fill]
	}
	return p.Body
}

// page writes a body as its page says.
func (x *session) page(body string, p Page) error {
	switch {
	case p.Drip > 0:
		return x.drip(body, p.Drip)
	case p.Endless:
		return x.flood(body, 0)
	}
	_, err := x.out.WriteString(body)
	return err
}
