package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/mime"
)

// mailParams are the parameters of MAIL that the flags ask for. Those written by
// hand are sent whatever the server offers.
func (r *run) mailParams() []dialog.Param {
	var list []dialog.Param
	add := func(needs, text string) { list = append(list, dialog.Param{Text: text, Needs: needs}) }
	if v := r.String("dsn-ret"); v != "" {
		add("DSN", "RET="+v)
	}
	if v := r.String("dsn-envid"); v != "" {
		add("DSN", dialog.Xtext("ENVID", v))
	}
	if v := r.String("deliver-by"); v != "" {
		add("DELIVERBY", "BY="+v)
	}
	if d := r.Duration("hold-for"); d > 0 {
		add("FUTURERELEASE", fmt.Sprintf("HOLDFOR=%d", int(d.Seconds())))
	}
	if t, ok := r.Time("hold-until"); ok {
		add("FUTURERELEASE", "HOLDUNTIL="+t.UTC().Format(time.RFC3339))
	}
	if r.Set("mt-priority") {
		add("MT-PRIORITY", "MT-PRIORITY="+strconv.Itoa(r.Int("mt-priority")))
	}
	if r.Bool("require-tls") {
		add("REQUIRETLS", "REQUIRETLS")
	}
	if v := r.String("mail-auth"); v != "" {
		address := "<>"
		if m, err := mime.ParseReversePath(v); err == nil && !m.IsNull() {
			address = m.Path()
		}
		add("AUTH", dialog.Xtext("AUTH", address))
	}
	if r.Bool("verp") {
		add("XVERP", "XVERP")
	}
	return append(list, byHand(r.Strings("mail-param"))...)
}

// rcptParams are those of every RCPT, and own what a recipient has of its own.
func (r *run) rcptParams() []dialog.Param {
	var list []dialog.Param
	if v := r.String("dsn-notify"); v != "" {
		list = append(list, dialog.Param{Text: "NOTIFY=" + strings.ToUpper(v), Needs: "DSN"})
	}
	if t, ok := r.Time("rrvs"); ok {
		list = append(list, dialog.Param{Text: "RRVS=" + t.UTC().Format(time.RFC3339), Needs: "RRVS"})
	}
	return append(list, byHand(r.Strings("rcpt-param"))...)
}

// ownParams are the parameters of one recipient's RCPT: the address that it was
// first sent to, in reports of delivery (RFC 3461 section 4.2).
func (r *run) ownParams(to mime.Mailbox) []dialog.Param {
	original := r.String("dsn-orcpt")
	switch {
	case original == "":
		return nil
	case original == "auto":
		original = to.Path()
	}
	kind, address, typed := strings.Cut(original, ";")
	if !typed {
		kind, address = "rfc822", original
	}
	_, encoded, _ := strings.Cut(dialog.Xtext("ORCPT", address), "=")
	return []dialog.Param{{Text: "ORCPT=" + kind + ";" + encoded, Needs: "DSN"}}
}

// unmetParam is what to do where the server does not offer what a parameter needs:
// leave the flag out that asked for it, or write the parameter by hand.
func unmetParam(unmet *dialog.UnmetError) string {
	keyword, _, _ := strings.Cut(unmet.Param, "=")
	flag, by := "", "--mail-param"
	switch keyword {
	case "RET", "ENVID":
		flag = "--dsn-" + strings.ToLower(keyword)
	case "NOTIFY", "ORCPT":
		flag, by = "--dsn-"+strings.ToLower(keyword), "--rcpt-param"
	case "BY":
		flag = "--deliver-by"
	case "HOLDFOR":
		flag = "--hold-for"
	case "HOLDUNTIL":
		flag = "--hold-until"
	case "MT-PRIORITY":
		flag = "--mt-priority"
	case "REQUIRETLS":
		return "again without --require-tls   # nobody then promises TLS on the hops behind this server"
	case "RRVS":
		flag, by = "--rrvs", "--rcpt-param"
	case "AUTH":
		flag = "--mail-auth"
	case "XVERP":
		flag = "--verp"
	}
	return fmt.Sprintf("again without %s   # or with %s %s, sent whatever is offered", flag, by, shellWord(unmet.Param))
}

func byHand(texts []string) []dialog.Param {
	var list []dialog.Param
	for _, text := range texts {
		list = append(list, dialog.Param{Text: text})
	}
	return list
}

var errNotify = errors.New("it is NEVER, or a list of SUCCESS, FAILURE and DELAY")

// checkNotify follows RFC 3461 section 4.1.
func checkNotify(v string) error {
	words := strings.Split(strings.ToUpper(v), ",")
	for i, w := range words {
		known := slices.Contains([]string{"SUCCESS", "FAILURE", "DELAY"}, w)
		if !known && (w != "NEVER" || len(words) > 1) || slices.Contains(words[:i], w) {
			return errNotify
		}
	}
	return nil
}

// checkDeliverBy follows RFC 2852 section 4: seconds, then R to return the
// message when they are over or N to tell the sender, then T to trace.
func checkDeliverBy(v string) error {
	seconds, mode, _ := strings.Cut(strings.ToUpper(v), ";")
	n, err := strconv.Atoi(seconds)
	if err != nil || len(seconds) > 10 || !slices.Contains([]string{"R", "N", "RT", "NT"}, mode) || n <= 0 && mode[0] == 'R' {
		return errors.New("it is SECONDS;R (return it then) or SECONDS;N (tell the sender then), with a T to trace: 3600;R")
	}
	return nil
}

// checkAttributes follows XCLIENT and XFORWARD: NAME=VALUE.
func checkAttributes(v string) error {
	name, value, ok := strings.Cut(v, "=")
	if !ok || value == "" || strings.Trim(strings.ToUpper(name), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || name == "" {
		return errors.New("it is NAME=VALUE, such as ADDR=192.0.2.1")
	}
	return nil
}

func checkReversePath(v string) error {
	_, err := mime.ParseReversePath(v)
	return err
}
