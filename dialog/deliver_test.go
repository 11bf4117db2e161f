package dialog

import "testing"

func TestEnvelope(t *testing.T) {
	noB := "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 250 ok\nC: RCPT TO:<b@x.test>\nS: 550 5.1.1 no b\n"
	none := "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 450 not a\nC: RCPT TO:<b@x.test>\nS: 550 not b\n"
	pBye := "C: QUIT\nS: 221 bye\n"
	play(t, []dialogue{
		{name: "MAIL 5yz", script: plain + "C: MAIL FROM:<s@c.test>\nS: 550 5.7.1 no\n" + bye, want: "a refused mail 550 5.7.1\nb refused mail 550 5.7.1"},
		{name: "MAIL 4yz", script: plain + "C: MAIL FROM:<s@c.test>\nS: 451 later\n" + bye, want: "a deferred mail 451\nb deferred mail 451"},
		{name: "MAIL 421", script: plain + "C: MAIL FROM:<s@c.test>\nS: 421 bye\n", want: "a deferred mail 421\nb deferred mail 421"},
		{name: "MAIL 354", script: plain + "C: MAIL FROM:<s@c.test>\nS: 354 go\n" + bye, want: "error protocol mail"},
		{name: "MAIL 5yz pipelined", script: pPlain + pRcpts + "S: 550 no\nS: 503 no MAIL\nS: 503 no MAIL\nS: 503 no RCPT\n" + pBye, want: "a refused mail 550\nb refused mail 550"},
		{name: "MAIL 5yz, then 354 all the same", script: pPlain + pRcpts + "S: 550 no\nS: 503 no MAIL\nS: 503 no MAIL\nS: 354 go\n" + "C: .\nC: QUIT\nS: 554 nobody\nS: 221 bye\n", want: "a refused mail 550\nb refused mail 550"},
		{name: "one RCPT 5yz", script: plain + noB + data + theText + "S: 250 ok\n" + bye, want: "a accepted dot 250\nb refused rcpt 550 5.1.1"},
		{name: "one RCPT 4yz", script: pPlain + pRcpts + "S: 250 ok\nS: 450 4.2.0 grey\nS: 250 ok\nS: 354 go\n" + theText + "C: QUIT\nS: 250 ok\nS: 221 bye\n", want: "a deferred rcpt 450 4.2.0\nb accepted dot 250"},
		{name: "RCPT 251 and 252 are positive", script: pPlain + pRcpts + "S: 250 ok\nS: 251 forwarded\nS: 252 perhaps\nS: 354 go\n" + theText + "C: QUIT\nS: 250 ok\nS: 221 bye\n", want: bothAccepted},
		{name: "all RCPT refused", script: plain + none + bye, want: "a deferred rcpt 450\nb refused rcpt 550"},
		{name: "all RCPT refused, DATA too", script: pPlain + pRcpts + "S: 250 ok\nS: 450 a\nS: 550 b\nS: 554 nobody\n" + pBye, want: "a deferred rcpt 450\nb refused rcpt 550"},
		{name: "all RCPT refused, 354 is ended empty", script: pPlain + pRcpts + "S: 250 ok\nS: 450 a\nS: 550 b\nS: 354 go\nC: .\nC: QUIT\nS: 554 nobody\nS: 221 bye\n", want: "a deferred rcpt 450\nb refused rcpt 550"},
		{name: "all RCPT refused, the empty text taken", script: pPlain + pRcpts + "S: 250 ok\nS: 450 a\nS: 550 b\nS: 354 go\nC: .\nC: QUIT\nS: 250 thanks\nS: 221 bye\n", want: "a deferred rcpt 450\nb refused rcpt 550"},
		{name: "RCPT 421 ends it", script: plain + "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 421 bye\n", want: "a deferred rcpt 421\nerror refusal 421 rcpt"},
		{name: "RCPT 421 ends it pipelined", script: pPlain + pRcpts + "S: 250 ok\nS: 421 bye\nS! close\n", want: "a deferred rcpt 421\nerror refusal 421 rcpt"},
		{name: "RCPT 421, and the server goes on", script: pPlain + pRcpts + "S: 250 ok\nS: 421 bye\nS: 250 ok\nS: 354 go\n", want: "a deferred rcpt 421\nerror refusal 421 dot"},
		{name: "RCPT 354", script: plain + "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 354 go\nC: RCPT TO:<b@x.test>\nS: 250 ok\n" + data + theText + "S: 250 ok\n" + bye, want: "b accepted dot 250\nerror protocol rcpt"},
		{name: "MAIL 354 pipelined, all else agreed to", script: pPlain + pRcpts + "S: 354 go\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: .\nC: QUIT\nS: 250 ok\nS: 221 bye\n", want: "error protocol mail"},
		{name: "RCPT 354 pipelined", script: pPlain + pRcpts + "S: 250 ok\nS: 250 ok\nS: 354 go\nS: 354 go\n" + theText + "C: QUIT\nS: 250 ok\nS: 221 bye\n", want: "a accepted dot 250\nerror protocol rcpt"},
		{name: "lost after MAIL", script: plain + "C: MAIL FROM:<s@c.test>\nS! close\n", want: "error lost mail"},
		{name: "lost between RCPT", script: pPlain + pRcpts + "S: 250 ok\nS: 550 no a\nS! close\n", want: "a refused rcpt 550\nerror lost rcpt"},
		{name: "421 between commands", script: plain + rcpts + "S: 421 bye\n", want: "error refusal 421 data", shows: "the server says goodbye"},
		{name: "250 between commands", script: plain + rcpts + "S: 250 more\n", want: "error protocol data", shows: "a reply before its command"},
		{name: "decided recipients", to: "a@x.test", plan: nil, script: plain + "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 250 ok\n" + data + theText + "S: 250 ok\n" + bye, want: "a accepted dot 250"},
	})
}

func TestUnmet(t *testing.T) {
	sized := greet + "S: 250-mx.test\nS: 250 SIZE 10\n"
	forms := func(d *Delivery) {
		d.Content = []Content{text{body: short, needs: []string{"8BITMIME"}}, text{body: short}}
	}
	only := "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 250 ok\n"
	play(t, []dialogue{
		{name: "every form is too long", script: sized + bye, tweak: forms, want: "error unmet SIZE mail"},
		{name: "one recipient needs SMTPUTF8", to: "a@x.test é@x.test", script: plain + only + data + theText + "S: 250 ok\n" + bye, want: "a accepted dot 250\né refused rcpt", shows: "SMTPUTF8"},
		{name: "all need SMTPUTF8", to: "é@x.test", script: plain + bye, want: "error unmet SMTPUTF8 mail"},
		{name: "the sender needs SMTPUTF8, too", to: "a@x.test é@x.test", script: plain + bye, tweak: func(d *Delivery) { d.From = "é@c.test" }, want: "error unmet SMTPUTF8 mail"},
		{name: "the other one is refused", to: "a@x.test é@x.test", script: plain + "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 550 no\n" + bye, want: "a refused rcpt 550\né refused rcpt"},
	})
}

func TestMessage(t *testing.T) {
	to := plain + rcpts + data
	pTo := pPlain + pRcpts + pOK
	unknown := "a unknown dot\nb unknown dot"
	play(t, []dialogue{
		{name: "DATA 5yz", script: plain + rcpts + "C: DATA\nS: 554 no\n" + bye, want: "a refused data 554\nb refused data 554"},
		{name: "DATA 4yz", script: pPlain + pRcpts + "S: 250 ok\nS: 250 ok\nS: 550 no b\nS: 451 later\n" + bye, want: "a deferred data 451\nb refused rcpt 550"},
		{name: "DATA 421", script: plain + rcpts + "C: DATA\nS: 421 bye\n", want: "a deferred data 421\nb deferred data 421"},
		{name: "DATA 250", script: plain + rcpts + "C: DATA\nS: 250 ok\n" + bye, want: "error protocol data"},
		{name: "DATA 250 pipelined", script: pPlain + pRcpts + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\n" + bye, want: "error protocol data"},
		{name: "dot 5yz", script: to + theText + "S: 554 5.6.0 no\n" + bye, want: "a refused dot 554 5.6.0\nb refused dot 554 5.6.0"},
		{name: "dot 4yz", script: pTo + theText + "C: QUIT\nS: 451 later\nS: 221 bye\n", want: "a deferred dot 451\nb deferred dot 451"},
		{name: "dot 421", script: to + theText + "S: 421 later\n", want: "a deferred dot 421\nb deferred dot 421"},
		{name: "dot 354", script: to + theText + "S: 354 more\n" + bye, want: "a unknown dot 354\nb unknown dot 354"},
		{name: "lost before 354", script: plain + rcpts + "C: DATA\nS! close\n", want: "error lost data"},
		{name: "lost after the dot", script: to + theText + "S! close\n", want: unknown + "\nerror lost dot"},
		{name: "reset after the dot", script: to + theText + "S! reset\n", want: unknown + "\nerror lost dot"},
		{name: "lost after the dot, pipelined", script: pTo + theText + "C: QUIT\nS! close\n", want: unknown + "\nerror lost dot"},
		{name: "lost within the dot's reply", script: pTo + theText + "C: QUIT\nS| 250-o\nS! close\n", want: unknown + "\nerror lost dot"},
		{name: "nonsense after the dot", script: pTo + theText + "C: QUIT\nS: ok\n", want: unknown + "\nerror protocol dot"},
		{name: "lost after the dot's reply", script: pTo + theText + "C: QUIT\nS: 250 ok\nS! close\n", want: bothAccepted},
		{name: "no time for the dot", script: to + theText, opt: func(o *Options) { o.Timeouts.Dot = 100e6 }, want: unknown + "\nerror timeout dot"},
		{name: "QUIT not answered", script: pTo + theText + "C: QUIT\nS: 250 ok\n", opt: func(o *Options) { o.Timeouts.Quit = 100e6 }, want: bothAccepted},
		{name: "QUIT answered 250", script: pTo + theText + "C: QUIT\nS: 250 ok\nS: 250 bye\nS! close\n", want: bothAccepted},
		{name: "QUIT answered with nonsense", script: pTo + theText + "C: QUIT\nS: 250 ok\nS: bye\n", want: bothAccepted},
		{name: "QUIT answered 421", script: pTo + theText + "C: QUIT\nS: 250 ok\nS: 421 bye\n", want: bothAccepted},
		{name: "250 with the 354", script: pPlain + pRcpts + pOK + "S: 250 ok\n", want: "error protocol dot", shows: "before its command"},
		{name: "250 with the 354, lockstep", script: plain + rcpts + "C: DATA\nS: 354 go\nS: 250 ok\n", want: "error protocol dot"},
		{name: "554 with the 354", script: plain + rcpts + "C: DATA\nS: 354 go\nS: 554 no\n", want: "a refused dot 554\nb refused dot 554"},
		{name: "421 with the 354", script: plain + rcpts + "C: DATA\nS: 354 go\nS: 421 no\n", want: "error refusal 421 dot"},
		{name: "a reply too many, with the dot's", script: to + theText + "S: 250 ok\nS: 250 ok\n", want: "a unknown dot 250\nb unknown dot 250\nerror protocol quit"},
		{name: "a reply too many, after the dot", script: pTo + theText + "C: QUIT\nS: 250 early\nS: 554 no\nS: 221 bye\n", want: "a unknown dot 250\nb unknown dot 250\nerror protocol quit"},
		{name: "a refusal stays one", script: pTo + theText + "C: QUIT\nS: 554 no\nS: 554 no\nS: 221 bye\n", want: "a refused dot 554\nb refused dot 554\nerror protocol quit"},
		{name: "421 after the dot's reply", script: to + theText + "S: 250 ok\nS: 421 bye\n", want: bothAccepted},
	})
}

func TestChunking(t *testing.T) {
	chunking := greet + "S: 250-mx.test\nS: 250-CHUNKING\nS: 250 PIPELINING\n"
	group := "C: MAIL FROM:<s@c.test>\nC: RCPT TO:<a@x.test>\nC: RCPT TO:<b@x.test>\n"
	chunk := `C| BDAT 23 LAST\r\nSubject: x\r\n\r\n.hidden\r\n` + "\n"
	big := text{body: lines(40 << 10)}
	play(t, []dialogue{
		{name: "small, in one group", script: chunking + group + chunk + "C: QUIT\nS: 250 ok\nS: 250 ok\nS: 550 no b\nS: 250 ok\nS: 221 bye\n", want: "a accepted dot 250\nb refused rcpt 550"},
		{name: "small, all RCPT refused", script: chunking + group + chunk + "C: QUIT\nS: 250 ok\nS: 450 a\nS: 550 b\nS: 503 nobody\nS: 221 bye\n", want: "a deferred rcpt 450\nb refused rcpt 550"},
		{name: "small, MAIL refused", script: chunking + group + chunk + "C: QUIT\nS: 550 no\nS: 503 a\nS: 503 b\nS: 503 nobody\nS: 221 bye\n", want: "a refused mail 550\nb refused mail 550"},
		{name: "large, behind the RCPT replies", body: big, script: chunking + group + "S: 250 ok\nS: 250 ok\nS: 250 ok\nC: BDAT 40960 LAST\nC> 40960\nC: QUIT\nS: 250 ok\nS: 221 bye\n", want: bothAccepted},
		{name: "large, all RCPT refused", body: big, script: chunking + group + "S: 250 ok\nS: 450 a\nS: 550 b\n" + bye, want: "a deferred rcpt 450\nb refused rcpt 550"},
		{name: "lockstep", script: greet + "S: 250-mx.test\nS: 250 CHUNKING\n" + rcpts + chunk + "S: 250 ok\n" + bye, want: bothAccepted},
		{name: "lockstep, refused", script: greet + "S: 250-mx.test\nS: 250 CHUNKING\n" + rcpts + chunk + "S: 552 no\n" + bye, want: "a refused dot 552\nb refused dot 552"},
		{name: "lost after the chunk", script: chunking + group + chunk + "C: QUIT\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS! close\n", want: "a unknown dot\nb unknown dot\nerror lost dot"},
		{name: "lost before any reply", script: chunking + group + chunk + "C: QUIT\nS! close\n", want: "a unknown dot\nb unknown dot\nerror lost mail"},
		{name: "lost behind a refused RCPT", script: chunking + group + chunk + "C: QUIT\nS: 250 ok\nS: 550 a\nS! close\n", want: "a refused rcpt 550\nb unknown dot\nerror lost rcpt"},
		{name: "451 too early", script: chunking + group + chunk + "C: QUIT\nS: 451 early\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 queued\nS: 221 bye\n", want: "a unknown dot\nb unknown dot\nerror protocol quit"},
		{name: "550 too early", script: chunking + group + chunk + "C: QUIT\nS: 550 early\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 queued\nS: 221 bye\n", want: "a unknown dot\nb unknown dot\nerror protocol quit"},
		{name: "354 too early", script: chunking + group + chunk + "C: QUIT\nS: 354 early\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 queued\nS: 221 bye\n", want: "a unknown dot\nb unknown dot\nerror protocol quit"},
		{name: "421 too early", script: chunking + group + chunk + "C: QUIT\nS: 421 early\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 queued\nS: 221 bye\n", want: "a unknown dot\nb unknown dot"},
		{name: "all RCPT refused, the chunk taken", script: chunking + group + chunk + "C: QUIT\nS: 250 ok\nS: 450 a\nS: 550 b\nS: 250 for nobody\nS: 221 bye\n", want: "a deferred rcpt 450\nb refused rcpt 550"},
		{name: "550 before the text's own reply", script: pPlain + pRcpts + pOK + theText + "C: QUIT\nS: 550 early\nS: 250 queued\nS: 221 bye\n", want: "a unknown dot 550\nb unknown dot 550\nerror protocol quit"},
		{name: "the text refused twice", script: pPlain + pRcpts + pOK + theText + "C: QUIT\nS: 550 no\nS: 550 no\nS: 221 bye\n", want: "a refused dot 550\nb refused dot 550\nerror protocol quit"},
		{name: "switched off", opt: func(o *Options) { o.Chunking = Never }, script: chunking + pRcpts + pOK + theText + "C: QUIT\nS: 250 ok\nS: 221 bye\n", want: bothAccepted},
		{name: "demanded", opt: func(o *Options) { o.Chunking = Required }, script: plain + bye, want: "error unmet CHUNKING mail"},
		{name: "pipelining demanded", opt: func(o *Options) { o.Pipelining = Required }, script: plain + bye, want: "error unmet PIPELINING mail"},
		{name: "pipelining switched off", opt: func(o *Options) { o.Pipelining = Never }, script: pPlain + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted},
	})
}
