package dialog

import "testing"

func reply(code int) *Reply { return &Reply{Code: code} }

// TestDecide: the refusal of a conversation is for those of whom nothing was said.
func TestDecide(t *testing.T) {
	own := reply(452)
	d := Delivery{To: []Recipient{{Outcome: Accepted}, {Outcome: Deferred, Reply: own, Phase: PhaseRcpt, Hop: "m1"}, {}}}
	d.Decide(reply(554), PhaseConnect, "m2")
	if to := d.To[1]; to.Outcome != Deferred || to.Reply != own || to.Hop != "m1" {
		t.Errorf("what a server said of a mailbox was overwritten: %+v", to)
	}
	if d.To[0].Outcome != Accepted || d.To[2].Outcome != Refused || d.To[2].Reply.Code != 554 {
		t.Errorf("%+v", d.To)
	}
}

// TestUnknownHasNoOlderReply: what another server said before is not why an
// outcome is unknown.
func TestUnknownHasNoOlderReply(t *testing.T) {
	d := Delivery{To: []Recipient{{Outcome: Deferred, Reply: reply(450), Phase: PhaseRcpt, Hop: "m1"}}}
	turns := []Turn{
		{Step: Step{Phase: PhaseMail}, State: Answered, Replies: []Reply{*reply(250)}},
		{Step: Step{Phase: PhaseRcpt}, State: Answered, Replies: []Reply{*reply(250)}},
		{Step: Step{Phase: PhaseDot}, State: Written},
	}
	if err := d.settle(turns, []int{0}, "m2", DoubtNothing); err != nil {
		t.Fatal(err)
	}
	if to := d.To[0]; to.Outcome != Unknown || to.Reply != nil || to.Hop != "m2" {
		t.Errorf("%+v", to)
	}
}

// TestASCIIOfWhoIsLeft: a recipient who is settled needs nothing of the next server.
func TestASCIIOfWhoIsLeft(t *testing.T) {
	d := Delivery{From: "s@c.test", To: []Recipient{{Address: "ü@x.test", Outcome: Accepted}, {Address: "a@x.test"}}}
	if !d.isASCII() {
		t.Error("an accepted recipient still needs SMTPUTF8")
	}
	d.To[0].Outcome = Deferred
	if d.isASCII() {
		t.Error("a deferred one does not")
	}
}
