package route

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// addresses asks for A, AAAA or, at the same time, both.
func addresses(ctx context.Context, ask asker, host string, f Family) (Answer[netip.Addr], error) {
	switch f {
	case IPv4:
		return lookup(ctx, ask, host, dns.TypeA, pickA)
	case IPv6:
		return lookup(ctx, ask, host, dns.TypeAAAA, pickAAAA)
	}
	start := time.Now()
	var (
		wg   sync.WaitGroup
		v6   Answer[netip.Addr]
		err6 error
	)
	wg.Go(func() { v6, err6 = lookup(ctx, ask, host, dns.TypeAAAA, pickAAAA) })
	v4, err4 := lookup(ctx, ask, host, dns.TypeA, pickA)
	wg.Wait()
	a, err := join(v4, err4, v6, err6)
	a.Took = time.Since(start)
	return a, err
}

// join makes one answer of A and AAAA. Without any address, a failure outranks
// a denial: it is not known that there is none.
func join(v4 Answer[netip.Addr], err4 error, v6 Answer[netip.Addr], err6 error) (Answer[netip.Addr], error) {
	switch {
	case definite(err4) && definite(err6):
		return Answer[netip.Addr]{}, neither(err4, err6)
	case definite(err4) && err6 != nil:
		return Answer[netip.Addr]{}, err6
	case err4 != nil && err6 != nil:
		return Answer[netip.Addr]{}, err4
	case err4 != nil:
		return v6.without(err4), nil
	case err6 != nil:
		return v4.without(err6), nil
	}
	a := v4
	a.Records = make([]netip.Addr, 0, len(v4.Records)+len(v6.Records))
	for i := range max(len(v4.Records), len(v6.Records)) {
		if i < len(v4.Records) {
			a.Records = append(a.Records, v4.Records[i])
		}
		if i < len(v6.Records) {
			a.Records = append(a.Records, v6.Records[i])
		}
	}
	a.Authentic, a.Doubted = proven(v4.Authentic, v4.Doubted).and(proven(v6.Authentic, v6.Doubted)).verdict()
	a.TTL = min(v4.TTL, v6.TTL)
	return a, nil
}

// neither is the denial of both kinds. A name that exists for one of them exists.
func neither(err4, err6 error) error {
	var e4, e6 *Error
	if !errors.As(err4, &e4) || !errors.As(err6, &e6) {
		return err4
	}
	told := *e4
	if e4.Kind == NXDomain {
		told = *e6
	}
	told.Type = "A or AAAA"
	told.Authentic, told.Doubted = proven(e4.Authentic, e4.Doubted).and(proven(e6.Authentic, e6.Doubted)).verdict()
	return &told
}

// without notes that the other kind of address is not known.
func (a Answer[T]) without(err error) Answer[T] {
	if !definite(err) {
		a.Partial = err
	}
	return a
}

func definite(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Definite()
}
