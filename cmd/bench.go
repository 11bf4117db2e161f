package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/load"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// How long what is under way may still take: when a run is interrupted, which ends it
// within a second, and when its time is up, which is the limit and half a second.
const (
	interruptGrace = 600 * time.Millisecond
	lastGrace      = 250 * time.Millisecond
)

// benching is one run of bench.
type benching struct {
	*run
	*outlook
	target     reach.Target
	offer      load.Offer
	thresholds []load.Threshold
}

func runBench(ctx context.Context, r *run) (exit, error) {
	began := time.Now()
	b := &benching{run: r}
	var err error
	if b.target, err = r.named(r.args[0], false); err != nil {
		return exit{Status: StatusUsage}, err
	}
	if err := b.prepare(); err != nil {
		var usage *usageError
		if !errors.As(err, &usage) {
			usage = &usageError{msg: err.Error(), next: r.next}
		}
		return exit{Status: StatusUsage}, usage
	}
	ctx, cancel := r.limited(ctx)
	defer cancel()
	login, err := r.loginAt(ctx, b.target)
	if err != nil {
		return exit{}, err
	}
	if b.outlook, err = r.open(ctx); err != nil {
		return exit{Status: StatusUsage}, err
	}
	b.Session.Pipelining = use(r.String("pipeline"))
	if !r.Bool("chunking") {
		b.Session.Chunking = dialog.Never
	}
	b.toward(r, b.target, login)
	result, hop, err := b.bench(ctx)
	var usage *usageError
	if errors.As(err, &usage) {
		_ = b.outlook.close()
		return exit{Status: StatusUsage}, usage
	}
	document := b.document(result, hop, err)
	if result != nil {
		b.stream.Emit(document.benchReport)
	}
	document.TookMS = transcript.Millis(time.Since(began))
	document.lines = document.closing(time.Since(began), nil)
	b.stream.Emit(document)
	return exit{Status: document.Status, Phase: document.Phase}, b.outlook.close()
}

// prepare reads what is to be offered, and looks whether this host can offer it.
func (b *benching) prepare() error {
	from := b.sender()
	var err error
	if b.Set("from") {
		if from, err = mime.ParseReversePath(b.String("from")); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
	}
	to, err := b.mailboxes("to")
	if err != nil {
		return err
	}
	if len(to) == 0 {
		if to, err = b.madeUp(); err != nil {
			return err
		}
	}
	b.offer = load.Offer{
		From: from.Path(), Sessions: b.Int("sessions"), Count: int64(b.Int("messages")), Duration: b.Duration("duration"),
		Ramp: b.Duration("ramp"), PerConn: b.Int("per-connection"), Lockstep: b.String("pipeline") == "false", Grace: interruptGrace, Last: lastGrace,
	}
	for _, m := range to {
		b.offer.To = append(b.offer.To, m.Path())
	}
	if b.Set("duration") && !b.Set("messages") {
		b.offer.Count = 0
	}
	if v := b.String("rate"); v != "" {
		if b.offer.Rate, err = parseRate(v); err != nil {
			return err
		}
	}
	for _, text := range b.Strings("fail-if") {
		t, err := load.ParseThreshold(text)
		if err != nil {
			return err
		}
		if t.Late() && b.offer.Rate == 0 {
			return fmt.Errorf("--fail-if %s: nothing is due at a time without --rate", t.Text)
		}
		b.thresholds = append(b.thresholds, t)
	}
	if err := b.descriptors(); err != nil {
		return err
	}
	return b.messages()
}

// madeUp is the recipient where none is named: a mailbox of the target's domain.
func (b *benching) madeUp() ([]mime.Mailbox, error) {
	domain := b.target.Name
	if _, err := netip.ParseAddr(domain); err == nil || b.target.Local() {
		return nil, errors.New("bench needs a recipient: --to MAILBOX")
	}
	m, err := mime.ParseMailbox("alice@" + domain)
	return []mime.Mailbox{m}, err
}

// bench finds the server and makes the offer.
func (b *benching) bench(ctx context.Context) (*load.Result, reach.Hop, error) {
	hops, err := b.Hops(ctx, b.target)
	if err != nil {
		return nil, reach.Hop{}, err
	}
	b.progress.clear() // no name is asked for any more
	hop := hops[0]
	ctx, refuse := context.WithCancelCause(ctx)
	defer refuse(nil)
	if !b.Bool("sandbox") && !b.Bool("yes-i-own-this") {
		dial := b.Dial
		own := func(address string) error {
			if addr, err := netip.ParseAddrPort(address); err == nil {
				if a := addr.Addr().Unmap(); a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() {
					return nil
				}
			} else if host, _, err := net.SplitHostPort(address); err == nil && host == "localhost" {
				return nil
			}
			return &usageError{msg: address + " is neither a loopback nor a private address: load is for a server of your own", likely: "--yes-i-own-this", next: b.next}
		}
		if hop.Addr.IsValid() && len(b.ConnectTo) == 0 {
			if err := own(hop.Addr.String()); err != nil {
				return nil, hop, err
			}
		}
		b.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if err := own(address); err != nil { // --connect-to leads there
				refuse(err)
				return nil, err
			}
			return dial(ctx, network, address)
		}
	}
	var told func(*load.Result)
	if b.progress != nil {
		told = func(r *load.Result) { b.progress.line.Set("offering load", b.standing(r)...) }
	}
	if b.offer.PerConn > 0 {
		// What connections leave behind would else be most of the memory.
		defer debug.SetGCPercent(debug.SetGCPercent(40))
	}
	result, err := load.Run(ctx, b.Reach, hop, b.offer, told)
	b.progress.clear()
	var foreign *usageError
	if errors.As(context.Cause(ctx), &foreign) {
		return nil, hop, foreign
	}
	return result, hop, err
}

// standing are the values of the progress line.
func (b *benching) standing(r *load.Result) []string {
	count := grouped(r.Messages())
	if b.offer.Count > 0 {
		count += " of " + grouped(b.offer.Count)
	}
	values := []string{count + " messages", fmt.Sprintf("%s a second", grouped(int64(r.Speed()))), "p99 " + transcript.Duration(r.Whole.Quantile(0.99))}
	if n := r.Errors(); n > 0 {
		values = append(values, grouped(n)+" errors")
	}
	return append(values, "Ctrl-C ends politely")
}

// grouped is n as people read it: 12,300.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
