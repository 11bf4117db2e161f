package check

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// maxReverse is how many names of an address are looked up.
const maxReverse = 5

// Reverse is what the DNS says of an address: its names, and which of them lead
// back to it.
type Reverse struct {
	Addr  netip.Addr
	Names []string // as its PTR records have them
	Back  []string // those that have the address
	Err   error    // why Names is empty, or why Back is not known; of the DNS
}

// FCrDNS finds the names of an address that lead back to it: forward-confirmed
// reverse DNS (RFC 8601 section 3 calls it iprev). At most five names are looked up.
func FCrDNS(ctx context.Context, r Resolver, addr netip.Addr) Reverse {
	found := Reverse{Addr: addr}
	answer, err := r.PTR(ctx, addr)
	if err != nil {
		found.Err = err
		return found
	}
	found.Names = answer.Records
	for _, name := range found.Names[:min(maxReverse, len(found.Names))] {
		forward, err := r.Addr(ctx, name, route.Both)
		var told *route.Error
		switch {
		case slices.Contains(forward.Records, addr.Unmap()):
			found.Back = append(found.Back, name)
		case err != nil && !(errors.As(err, &told) && told.Definite()):
			found.Err = err
		}
	}
	return found
}

// Denied reports whether the DNS says that the address has no name.
func (v Reverse) Denied() bool {
	var told *route.Error
	return len(v.Names) == 0 && errors.As(v.Err, &told) && told.Definite()
}

// verdict is that on the address of a host that takes mail.
func (v Reverse) verdict() Result {
	evidence := v.Addr.String() + " PTR " + strings.Join(v.Names, ", ")
	switch {
	case len(v.Back) > 0:
		return Passed("%s is %s, and back", v.Addr, v.Back[0]).With(evidence)
	case v.Denied():
		return Warned("%s has no name (PTR)", v.Addr).
			Meaning("receivers refuse mail that such an address sends").
			Fixed("have who runs the network publish a PTR record for it")
	case v.Err != nil:
		return Untested("%s: %v", v.Addr, v.Err)
	}
	return Warned("%s is named %s, which does not lead back to it", v.Addr, strings.Join(v.Names, ", ")).With(evidence).
		Meaning("receivers refuse mail that such an address sends").
		Fixed("%s. A %s   # or let the PTR record name the host", v.Names[0], v.Addr)
}
