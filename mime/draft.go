package mime

import "time"

// Draft is what a message is made of.
type Draft struct {
	From        Mailbox // the null sender leaves the From field to DefaultFrom
	DefaultFrom Mailbox
	To, Cc      []Mailbox // those of one Group in a row are shown as that group
	Bcc         []Mailbox // in no header field; alone, To says undisclosed-recipients
	ReplyTo     []Mailbox
	Subject     string // text: what looks like an RFC 2047 word is shown as it stands

	Text, HTML  string       // UTF-8, any line ends; both: alternatives; neither: an empty text
	Bodies      []Body       // more alternatives, between Text and HTML, in order
	Calendar    *Calendar    // the last alternative
	Attachments []Attachment // behind the bodies, in order
	Inlines     []Attachment // what HTML refers to as cid:ContentID

	Headers    []Header // each replaces the fields of its name; ASCII goes as it is
	AddHeaders []Header // added behind the others

	InReplyTo       string   // a Message-ID, with or without brackets
	References      []string // likewise; none, and InReplyTo is the one (RFC 5322 section 3.6.4)
	Unsubscribe     []string // URIs for List-Unsubscribe; with one of https, also one-click (RFC 8058)
	ReadReceipt     Mailbox  // Disposition-Notification-To (RFC 8098 section 2.1)
	DeliveryReceipt Mailbox  // Return-Receipt-To, of no standard; DSN is the one that works

	Charset   string    // of texts and header words; "" is utf-8
	Encoding  Encoding  // of the bodies; Base64 and Binary of the attachments too
	Date      time.Time // the zero time is now
	MessageID string    // with or without brackets; "" makes a new one
	Host      string    // the right side of a new Message-ID; "" is the domain of From
	UserAgent string    // "" leaves the field out
}

// Body is one more form of what a message says.
type Body struct {
	Type string // text/..., parameters too
	Text string // UTF-8, any line ends
}

// Calendar is an invitation, or an answer to one (RFC 5545, RFC 6047): a part of
// text/calendar with the method that the file names.
type Calendar struct {
	Source Source
	Attach bool // once more as the attachment invite.ics, as Gmail does
}

// Attachment is a file that goes with a message.
type Attachment struct {
	Source    Source
	Name      string   // "" is the base name of the file
	Type      string   // a media type; "" is found by the name, then by the content
	ContentID string   // of an inline; "" is the name
	Encoding  Encoding // AutoEncoding leaves it to the draft's, then to the content
}

// Compose makes a message of d. Lines have at most 998 octets but in the form
// that needs BINARYMIME; the header has UTF-8 only with an address that needs it.
//
// The Message given back is the form that any server takes. Its Forms are all
// that d allows, with the same header fields and boundaries. Short messages are
// made here; for longer ones files are read again at each Open.
func Compose(d Draft) (*Message, error) {
	c, err := findCharset(d.Charset)
	if err != nil {
		return nil, err
	}
	fields, err := d.header(c)
	if err != nil {
		return nil, err
	}
	b := &body{}
	m, err := b.compose(&d, c, fields)
	if err != nil {
		b.close()
		return nil, err
	}
	return m, nil
}
