// Package dialog holds one SMTP conversation: it writes commands, reads replies,
// and keeps what was learnt.
//
//	Session   one connection and what is known of it; Exchange is its only engine
//	Step      something to write, and the replies it owes; Turn is what became of it
//	Plan      the stages of a conversation: Greet Hello StartTLS Deliver Ask Quit
//	Command   a line that cannot carry CR, LF or NUL
//	Reply     a server's answer, its bytes kept as they came
//	Offers    what one EHLO announced; Extensions says what the keywords mean
//	Delivery  a message on its way, each Recipient with an Outcome of its own
//	Report    what the conversation showed, filled as it goes
//	Error     where it ended and why
//	Memory    what one conversation leaves to the next, for whoever has many
//
// A lockstep dialogue is a pipeline of depth one: both run through Exchange.
// The package dials nothing and resolves nothing: a server reaches it as a
// net.Conn, a message as a Content.
package dialog
