// Package spf decides whether a host may send mail for a domain (RFC 7208), and
// proves it.
//
//	Check     the whole question at once: an address, a HELO name, a MAIL FROM
//	Checker   the same, with a receiver's name, a clock and a time limit
//	Result    the word, the directive that decided, the explanation, the counts
//	Trace     the proof: each term, what was asked, what came, why it matches or not
//	Outcome   the word: none, neutral, pass, fail, softfail, temperror, permerror
//
//	Find      the record that a domain publishes (section 4.5)
//	Parse     a record taken apart, or all of its SyntaxErrors
//	Record    the terms of a record; Lint tells what is legal and unwise in them
//	Tally     the look-ups and the void ones that a record can cost at most
//
// Section numbers in this package are those of RFC 7208. Records, names and
// explanations are foreign bytes, kept as they came.
package spf
