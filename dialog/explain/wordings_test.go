package explain

import (
	"slices"
	"strings"
	"testing"
)

// wordings are replies that servers are known to give, as "reasons|phase|reply":
// any of the reasons is right.
const wordings = `
user-unknown|rcpt|550 5.1.1 <x@example.com>: Recipient address rejected: User unknown in local recipient table
user-unknown|rcpt|550 5.1.1 The email account that you tried to reach does not exist
user-unknown|rcpt|550 5.4.1 Recipient address rejected: Access denied. AS(201806281)
user-unknown|rcpt|554 5.7.1 <bob@example.com>: Recipient address rejected: user bob@example.com does not exist
user-unknown|rcpt|550 5.1.1 Mailbox does not exist: bob@example.com
user-unknown|rcpt|550 No such person at this address
user-unknown|rcpt|550 This user doesn't have a yahoo.com account (bob@example.com)
user-unknown|rcpt|550 5.1.1 Recipient rejected by gateway: user unknown
user-unknown|rcpt|550 Invalid recipient bob@example.com (#5.1.1)
user-unknown/mailbox-disabled|rcpt|550 5.2.1 This mailbox has been deactivated
mailbox-full|rcpt|452 4.2.2 The email account that you tried to reach is over quota
mailbox-full|rcpt|552 5.2.2 This user's mailbox is over quota
mailbox-full|rcpt|422 The recipient's mailbox is over its storage limit
mailbox-full|dot|554 5.2.2 mailbox full; Quota exceeded: user is over quota
mailbox-full|dot|552 5.2.2 STOREDRV.Deliver; mailbox full. The following information should help identify the cause
suspended/mailbox-disabled|rcpt|550 5.2.1 account suspended
mailbox-disabled|rcpt|554 30 Sorry, your message to bob@example.com cannot be delivered. This mailbox is disabled (554.30).
mailbox-disabled|rcpt|550 5.1.1 <x@example.com> Mailbox is inactive
has-moved|rcpt|551 not our user, please try <a@example.com>
no-relaying|rcpt|550 5.7.1 We do not relay without RFC2554 authentication.
no-relaying|rcpt|554 5.7.1 Relay access denied
no-relaying|rcpt|553 Relaying disallowed as alice@example.com
no-relaying|rcpt|550 relay not permitted
no-relaying|rcpt|550 5.7.64 TenantAttribution; Relay Access Denied
no-relaying|rcpt|553 5.7.1 This domain is not in my list of allowed recipient hosts
no-relaying|rcpt|550 5.7.1 Requested action not taken: message refused, not a relay
security|mail|530 5.7.1 Authentication required
security|mail|530 5.7.57 Client not authenticated to send mail.
security|mail|530 5.7.0 Must issue a STARTTLS command first
security|mail|503 5.5.1 Error: authentication not enabled
security|auth|535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6
security|auth|535 5.7.3 Authentication unsuccessful
security|rcpt|550 5.7.1 Client was not authenticated
security|auth|454 4.7.0 Too many login attempts, please try again later.
blocked|connect|554 5.7.1 Client host rejected: Access denied
blocked|rcpt|550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit https://sender.office.com/
blocked|connect|554 Blocked - see https://www.spamhaus.org/query/ip/192.0.2.1
blocked|connect|550 5.7.1 Mail from 192.0.2.1 has been blocked for spam. See http://example.com
blocked|connect|421 4.7.1 <mx.x.com[192.0.2.1]>: Client host rejected: your server is listed in our local blocklist
blocked|rcpt|550 5.7.1 Service unavailable; client [192.0.2.1] blocked using dnsbl.njabl.org
blocked|connect|554 5.7.1 ACL dns_rbl; Client host [192.0.2.1] blocked using zen.spamhaus.org=127.0.0.4 Please visit
blocked/rejected-sender|mail|550 5.1.0 Sender blacklisted
blocked|connect|550 Dynamic/Generic hostnames blocked. Please contact Administrator.
bad-reputation|connect|554 Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you believe that this failure is in error, please contact
require-ptr|connect|550 5.7.1 Fix reverse DNS for 192.0.2.1
require-ptr|connect|554 5.7.1 Client host rejected: cannot find your reverse hostname
require-ptr|connect|421 4.7.1 - Connection refused - 192.0.2.1 does not have a valid PTR record
auth-failure|dot|550 5.7.1 Message rejected due to DMARC policy
auth-failure|mail|550 5.7.1 SPF fail - not authorized
auth-failure|mail|550 5.7.1 <alice@example.com>: Recipient address rejected: Please see http://www.openspf.org/Why?s=mfrom
auth-failure|mail|550 SPF MAIL FROM check failed
auth-failure|mail|554 5.7.1 Sender Address Rejected: SPF failure
auth-failure|dot|550 5.7.1 Email rejected per DMARC policy for x.com
rejected-sender|mail|550 5.1.8 Sender address rejected: Domain not found
rejected-sender|mail|553 5.1.8 <a@example.com> Domain of sender address does not exist
rejected-sender|mail|553 sorry, your envelope sender domain must exist (#5.7.1)
rejected-sender|mail|550 Verification failed for <alice@example.com>
rejected-sender|mail|550 5.7.1 Sender address rejected: not owned by user alice
rejected-sender|mail|501 5.1.8 Bad sender's system address
rejected-sender|mail|550 Sender verify failed
spam|dot|554 5.7.1 Message identified as SPAM
spam|dot|550 5.7.1 This message has been blocked because it contains spam
spam|dot|554 rejected due to spam content
spam|dot|550 High probability of spam
spam|dot|550 5.7.1 Our system has detected that this message is likely suspicious
spam|dot|554 5.7.1 Spam detected by content scanner
spam|dot|571 5.7.1 spam message rejected
virus|dot|554 5.7.1 Virus found, message rejected
virus|dot|550 Your message was rejected because it contains the virus X
virus|dot|554 Message contained unsafe content (malware)
content|dot|552 5.7.0 This message was blocked because its content presents a potential security issue.
content|dot|550 5.7.1 This message contains an attachment with a prohibited extension
content|dot|554 5.7.1 File type not accepted .exe
message-too-big|mail|552 5.3.4 Message size exceeds fixed maximum message size (10485760)
message-too-big|dot|523 the message size exceeds the recipient's size limit
message-too-big|dot|552 message is too large
rate-limited|connect|421 4.7.0 [TS01] Messages from 192.0.2.1 temporarily deferred due to user complaints
rate-limited|dot|550 5.4.5 Daily sending quota exceeded
rate-limited|rcpt|450 4.7.1 Error: too much mail from 192.0.2.1
rate-limited|rcpt|452 4.5.3 Too many recipients
rate-limited|rcpt|421 RP-001 (BAY) Unfortunately, some messages from 192.0.2.1 weren't sent. Please try again.
rate-limited|rcpt|550 5.7.1 Sender rate overlimit
rate-limited|dot|451 4.7.651 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.
too-many-connections|connect|421 Too many concurrent SMTP connections from this IP address; please try again later.
too-many-connections|connect|421 4.7.0 too many sessions from your IP
too-many-connections|connect|421 4.3.2 Connection rate limit exceeded.
greylisted|rcpt|450 4.7.1 <bob@example.com>: Recipient address rejected: Greylisting in effect, please come back later
starttls-failed|tls|454 TLS currently unavailable
syntax|hello|501 5.5.4 Invalid domain name
syntax|rcpt|501 5.1.3 Bad recipient address syntax
syntax|mail|503 Bad sequence of commands
syntax||500 5.5.1 Command unrecognized: "XXXX"
syntax||502 5.5.2 Error: command not recognized
not-rfc-compliant|dot|550 5.6.0 improper use of 8-bit data in message header
not-rfc-compliant|dot|550 Messages without From: header are not accepted
not-rfc-compliant|dot|554 5.6.11 bare LF received
system-error|dot|451 4.3.0 Error: queue file write error
system-error|dot|451 4.3.5 Server configuration error
system-error|rcpt|451 4.3.0 <bob@example.com>: Temporary lookup failure
system-error/network-error|dot|554 5.4.14 Hop count exceeded - possible mail loop
system-error/network-error|dot|554 5.4.6 Too many hops
system-full|mail|452 4.3.1 Insufficient system storage
network-error||421 4.4.2 Connection dropped due to SocketError
network-error/system-error||421 4.4.2 idle timeout exceeded
expired||550 4.4.7 Message delayed: delivery time expired
host-unknown|rcpt|550 5.1.2 Host unknown
host-unknown|rcpt|550 5.4.4 Invalid domain
host-unknown|rcpt|554 5.4.4 unable to route: no mail hosts for domain
not-accepting/system-error|connect|421 mx.x.com Service not available, closing transmission channel
not-accepting|connect|554 5.3.2 System not accepting network messages
not-accepting|rcpt|556 5.1.10 Recipient domain has null MX
policy|dot|550 5.7.1 Message rejected due to local policy
policy|dot|554 5.7.1 Rejected for policy reasons
security/policy|rcpt|550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed
filtered/blocked|rcpt|550 5.7.1 The recipient has blocked your address
not-rfc-compliant|hello|504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname
rate-limited/blocked|connect|421 4.7.0 [GL01] Message from (192.0.2.1) temporarily deferred
user-unknown|rcpt|550 5.1.1 <x@example.com>... User unknown
user-unknown|rcpt|511 sorry, no mailbox here by that name (#5.1.1 - chkuser)
user-unknown|rcpt|550 5.1.1 RESOLVER.ADR.RecipNotFound; not found
user-unknown|rcpt|550 5.1.1 Address not present in directory.
user-unknown|rcpt|550 The recipient cannot be verified. Please check all recipients of this message to verify they are valid.
auth-failure|mail|550 5.7.23 The sender SPF record did not permit
mailbox-full|rcpt|552 5.2.2 <x@example.com> Quota exceeded (mailbox for user is full)
mailbox-full|dot|452 4.2.2 Mailbox size limit exceeded
mailbox-full|rcpt|552 Message rejected: recipient exceeded quota
`

// TestWordings holds the rules together to replies that are not their examples.
func TestWordings(t *testing.T) {
	for line := range strings.Lines(wordings) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 3)
		if len(f) < 3 {
			continue
		}
		found := Find(f[2])
		if len(found) != 1 {
			t.Errorf("%q: %d replies", f[2], len(found))
			continue
		}
		found[0].Phase = f[1]
		if e := found[0].Explain(); !slices.Contains(strings.Split(f[0], "/"), e.Reason) {
			t.Errorf("%q: %s by its %s, want %s", f[2], e.Reason, e.Layer, f[0])
		}
	}
}
