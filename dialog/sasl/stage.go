package sasl

// stage is how far an exchange is in which the server proves itself at the end.
type stage int

const (
	challengeDue stage = iota
	proofDue           // our answer is out; the server's proof is awaited
	proven
	broken
)
