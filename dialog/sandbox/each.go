package sandbox

// dots ends a message that has a reply for each recipient: LMTP (RFC 2033 section
// 4.2) and PRDR (draft-hall-prdr-00), which begins with 353 and ends with a reply for
// all of it. verdict refuses the message; the zero one leaves it to each recipient.
func (x *session) dots(e *envelope, verdict reply) error {
	usual := verdict
	if usual.code == 0 {
		usual = oneLine(250, "2.1.5", "Ok")
	}
	taken := *e
	taken.to = nil
	rules := make([]Rule, len(e.to))
	for i, to := range e.to {
		rules[i] = x.rule("DOT", []string{to.Address})
		if rules[i].takes(usual) {
			taken.to = append(taken.to, to)
		}
	}
	all := oneLine(550, "5.7.1", "no recipient takes the message")
	if len(taken.to) > 0 {
		id := x.world.id()
		all = oneLine(250, "2.0.0", "Ok: queued as "+id)
		if x.spec.LMTP {
			usual.text = "Ok: delivered as " + id
		}
		if err := x.deliver(&taken, id); err != nil {
			x.log("--", err.Error())
			usual = oneLine(451, "4.3.0", "the message could not be kept")
			all, rules = usual, make([]Rule, len(e.to))
		}
	}
	if e.each {
		if err := x.say(oneLine(353, "", "a reply for each recipient follows")); err != nil {
			return err
		}
	}
	for i, to := range e.to {
		if err := x.play(rules[i], usual, []string{to.Address}); err != nil {
			return err
		}
	}
	if e.each {
		return x.say(all)
	}
	return nil
}
