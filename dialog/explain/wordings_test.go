package explain

import (
	"os"
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
user-unknown|rcpt|550 5.1.1 <bob@example.com>: Email address could not be found, or was misspelled (G8)
no-relaying/security|rcpt|550 authentication required for relaying
no-relaying/policy|rcpt|554 5.7.1 <bob@example.com>: Sender address rejected: Relay access denied
user-unknown|rcpt|550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces.
spam/content|dot|550 5.7.1 Our system has detected an unusual amount of links in your message
rate-limited|mail|451 4.7.1 <alice@example.com>: Sender address rejected: your account has sent too many emails in a short period
rate-limited|mail|452 4.2.2 Daily message quota exceeded
rate-limited|dot|550 Domain example.com has exceeded the max emails per hour (100/100 (100%)) allowed. Message discarded.
rate-limited|mail|451 Domain has exceeded the max defers and failures per hour allowed. Message will be reattempted later
message-too-big|dot|552 5.3.4 Error: message file too big
message-too-big/mailbox-full|rcpt|552 5.2.3 Message size exceeds the recipient's limit
mailbox-full|dot|552 5.2.2 Over quota
mailbox-full|rcpt|452 4.2.2 <bob@example.com>: mailbox is full (quota exceeded)
mailbox-full|rcpt|550 5.7.1 bob's mailbox quota limit has been reached
mailbox-full|rcpt|552-5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm
rate-limited|rcpt|450 4.2.1 The user you are trying to contact is receiving mail too quickly.
blocked|connect|554 5.7.1 The server sending your mail [192.0.2.1] does not have a good reputation and is listed at dnsbl.example.org
bad-reputation/blocked|connect|550 5.7.1 Recipient mail server rejected this message due to low sender reputation
filtered/blocked|rcpt|550 5.7.1 Sender blocked by recipient
virus/content|dot|552 5.7.0 Message contains malicious URL
content/virus|dot|550 Dangerous extension in attachment (.scr)
auth-failure|dot|550 5.7.1 This message does not have authentication information or fails to pass authentication checks
auth-failure|dot|550-5.7.26 This mail is unauthenticated, which poses a security risk to the sender and Gmail users, and has been blocked.
auth-failure/rejected-sender|mail|550 5.7.1 example.com does not designate 192.0.2.1 as permitted sender
rejected-sender/security|mail|553 5.7.1 <alice@example.com>: Sender address rejected: not logged in
rejected-sender|mail|550 5.1.8 Domain of sender does not exist
rejected-sender/host-unknown|mail|450 4.1.8 <a@b.example>: Sender address rejected: Domain not found; host does not resolve
host-unknown|rcpt|550 5.4.4 Domain example.com has no MX record
network-error/system-error/host-unknown|rcpt|450 4.4.3 <bob@example.com>: Recipient address rejected: DNS timeout
greylisted|rcpt|451 4.7.1 Please retry later, greylisted for 300 seconds
system-error|rcpt|451 4.3.0 <bob@example.com>: Recipient address rejected: Server configuration problem
system-error|rcpt|451 4.3.5 <bob@example.com>: Recipient address rejected: Server configuration error
system-error/greylisted|rcpt|451 4.7.1 Service unavailable - try again later
too-many-connections/rate-limited|connect|421 4.7.0 mail.example.com Error: too many connections from 192.0.2.1
syntax/not-rfc-compliant|hello|501 5.5.4 Syntax: EHLO hostname
syntax|mail|501 5.5.4 Syntax: MAIL FROM:<address>
syntax/user-unknown|data|503 5.5.1 RCPT first (#5.5.1)
not-rfc-compliant|dot|554 5.6.0 Message contains more than one From header
not-rfc-compliant|dot|550 5.7.1 Message rejected: missing Message-ID header
not-rfc-compliant|dot|550 Header line longer than 998 characters
security|auth|535-5.7.8 Username and Password not accepted. Learn more at
security|auth|534-5.7.9 Application-specific password required.
security|auth|535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.
security/suspended|auth|535 5.7.0 account temporarily locked: too many failed logins
security|auth|504 5.5.4 Unrecognized authentication type
starttls-failed|tls|454 4.3.0 TLS not available due to temporary reason
security|mail|550 5.7.1 Encryption required by recipient policy
policy|dot|550 5.7.1 Message refused by corporate policy
policy|dot|554 5.7.1 Rejected due to transport rule
policy/blocked|connect|554 5.7.1 Connections from dynamic IP space are not allowed by policy
blocked|connect|554 Refused. Your IP address is listed in the RBL at bl.example.org
blocked|connect|521 5.2.1 Your host is blacklisted at our site
blocked|connect|550 5.7.1 Your email was rejected because the sending mail server is on our deny list
no-relaying/host-unknown/not-accepting|rcpt|550 5.1.2 We don't accept mail for example.com
no-relaying|rcpt|550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain
policy/filtered|rcpt|550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized
not-accepting|rcpt|550 5.1.0 This mailbox is not monitored and does not accept mail
mailbox-disabled|rcpt|550 5.2.1 Mailbox not accepting messages
mailbox-disabled/suspended|rcpt|550 5.2.1 <bob@example.com> Account temporarily disabled
suspended|rcpt|550 5.2.1 This account has been suspended for violating the terms of service
mailbox-disabled|rcpt|550 The mail account has expired
has-moved|rcpt|551 5.1.6 Recipient has moved; please use new@example.com
has-moved/mailbox-disabled/user-unknown|rcpt|550 5.1.6 bob no longer works here
user-unknown|rcpt|550 5.1.1 bob... User unknown; rejecting
user-unknown|rcpt|550 5.1.1 Unknown or invalid recipient
user-unknown|rcpt|550 Unknown user - check the spelling of the address
user-unknown|rcpt|553 5.3.0 <bob@example.com>... Addressee unknown, relay=[192.0.2.1]
user-unknown|rcpt|550 Requested action not taken: mailbox unavailable; no such user here, spam will not be tolerated
system-full/system-error||452 4.3.1 Out of memory
system-full||452 4.3.1 Insufficient system resources (UsedDiskSpace[C:])
expired/network-error||554 5.4.7 delivery timed out
expired||451 4.4.7 Message expired: unable to deliver in 840 minutes. 421 4.4.1 Connection timed out
network-error||421 4.4.2 Connection dropped due to ConnectionReset
network-error||451 4.4.0 Primary target IP address responded with: "421 4.4.1 Connection timed out."
rate-limited|dot|421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your SPF domain
spam|dot|550 5.7.1 Message scored 12.4 points; rejected as junk
spam/bad-reputation|dot|550 This message contains a domain with a poor reputation and looks like spam
other|dot|554 5.3.0 Mail not accepted
other|dot|554 5.0.0 rejected by spam.example
other|rcpt|450 4.2.0 host blocked-spam.example.com says later
other|rcpt|550 rejected, see https://example.com/blocked/spam.html
other|dot|450 4.0.0 This is not a problem with your message; please retry
system-error|dot|451 Could not scan message for viruses, try again
greylisted|mail|451 4.7.1 Temporarily rejected. Try again later (first time sender)
rejected-sender|mail|550 You must use your own address as sender
filtered|rcpt|550 5.7.1 You are not allowed to send to this distribution list
filtered|rcpt|550 5.7.1 Only internal senders may write to this address
security|rcpt|530 5.7.1 Please log in to send mail
policy|rcpt|550 5.7.1 Mail from your country is not accepted here
require-ptr|rcpt|550 5.7.25 [192.0.2.1] does not have a PTR record
require-ptr|hello|550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1) your reverse DNS does not match
not-rfc-compliant|hello|550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)
blocked|rcpt|550 "JunkMail rejected - mail.example.com [192.0.2.1]:25 is in an RBL on rblsmtpd, see example"
rate-limited|rcpt|450 4.7.1 Error: too many recipients from 192.0.2.1
content|dot|554 5.7.1 Forbidden words in subject
content|dot|550 5.6.1 HTML messages not allowed
other/system-error|dot|451 Requested action aborted: local error in processing
virus|dot|554 5.7.1 Message rejected: contains a computer virus
auth-failure|dot|554 5.7.5 Permanent error evaluating DMARC policy
auth-failure|dot|550 5.7.0 rejected: the message failed domain alignment (DKIM, SPF)
rate-limited|rcpt|450 4.7.1 Too many complaints have been received about your mail
other|connect|554 mx.example.net: no service for you
other|rcpt|550 The recipient did not respond to our payment of attention
content|dot|554 5.7.1 blocked: message body contains a forbidden URL
spam/blocked/policy/filtered|dot|554 5.7.1 The message was blocked by the content filter of our antispam
policy|dot|550 5.7.0 This message violates our email policy
policy/rejected-sender|mail|550 5.7.1 Your domain is not allowed to send mail here by policy
system-error|connect|421 4.3.2 mail.example.com shutting down for maintenance
not-accepting|connect|554 5.3.2 mail.example.com No SMTP service here
system-error/network-error|rcpt|451 4.4.1 Unable to contact the backend server, try later
user-unknown|rcpt|550 5.1.1 <bob@example.com> is not a known user here
user-unknown|rcpt|550 5.2.1 <bob@example.com>... no such mailbox
user-unknown/mailbox-disabled|rcpt|550 This address is no longer valid
mailbox-full|dot|452 4.2.2 The recipient has no disk space left in their mailbox
system-full|dot|452 4.3.1 No space left on device
auth-failure|dot|550 5.7.1 SPF check: the domain of the sender forbids this host
auth-failure|dot|550 5.7.509 Access denied, sending domain example.com does not pass DMARC verification and has a DMARC policy of reject.
auth-failure|mail|550 5.7.23 Message rejected because the IP is not listed in the domain's SPF record
blocked|connect|550 5.7.1 Rejected: 192.0.2.1 listed at zen.spamhaus.org
policy|hello|550 5.7.1 You are not allowed to use my name as HELO
require-ptr|hello|550 HELO does not match reverse DNS
security|mail|530 5.5.1 Authentication Required. Learn more at https://example.com/auth
security|mail|550 5.7.1 TLS encryption is mandatory
other|data|451 4.5.0 try later
not-rfc-compliant|dot|550 5.6.2 bare LF in message
not-rfc-compliant|dot|550 Maximum line length exceeded (see RFC 5322 2.1.1)
message-too-big|dot|552 5.3.4 Your message of 30 MB is over our limit of 25 MB
message-too-big|dot|523 5.2.3 The message you are sending exceeds the size limits of the recipient
virus|dot|550 5.7.1 The attachment contains a Trojan
content|dot|550 5.7.1 Password-protected archives are not permitted
filtered|rcpt|550 5.7.1 The group bob only accepts messages from people in its organization
filtered|rcpt|550 5.7.124 Sender not in allowed-senders list
rate-limited|rcpt|452 4.5.3 Error: too many recipients
too-many-connections|connect|421 4.7.0 Maximum number of concurrent connections reached
too-many-connections/rate-limited|connect|421 4.7.0 Connections from your host exceed our limit
greylisted|connect|451 4.7.1 Greylisting in effect
network-error/system-error|connect|421 4.4.2 timeout waiting for client
security|auth|535 Incorrect authentication data
suspended/security/mailbox-disabled|auth|535 5.7.13 User account disabled
suspended|rcpt|550 5.7.1 The account of the recipient is locked because of abuse
host-unknown|rcpt|550 5.1.2 The recipient's domain does not exist
no-relaying|rcpt|550 5.7.1 You are not allowed to relay through this host
no-relaying|rcpt|554 5.7.1 This server is no open relay
system-error|dot|554 5.4.6 Mail loop detected
other|dot|550 5.0.0 Message refused
syntax||500 5.5.2 Error: bad syntax
blocked/rejected-sender|rcpt|550 5.7.1 The sender's domain is on our blocklist
blocked|mail|554 5.7.1 Sender address is banned here
rate-limited/too-many-connections|connect|421 4.7.0 You've reached your limit of 10 connections per minute
blocked|connect|554 5.7.1 Blocked by our firewall; your address space is in a bad neighbourhood list
policy|connect|554 5.7.1 Only authorized hosts may connect to this server
security|connect|530 Must authenticate with a client certificate
policy/blocked|hello|554 5.7.1 <bad.example>: Helo command rejected: You are spammer
rejected-sender|mail|553 5.1.8 Sender domain has no valid MX
rejected-sender/auth-failure|mail|550 5.7.1 You can't send as alice@example.com
rate-limited|mail|452 4.3.1 Sender exceeded the number of messages allowed per hour
rate-limited|mail|550 5.7.1 Sending quota for this account reached
suspended|mail|550 5.7.1 Your account is blocked from sending due to abuse; contact support
message-too-big|mail|552 5.3.4 SIZE declared exceeds our limit
message-too-big|mail|552 Message exceeds maximum fixed size (20971520 bytes)
security|mail|538 5.7.11 Encryption required for requested authentication mechanism
system-error|mail|451 4.3.0 Internal lookup error, try again
syntax|mail|555 5.5.4 Unsupported option: BODY=BINARYMIME
not-rfc-compliant|mail|550 5.6.7 SMTPUTF8 needed to handle non-ASCII characters
user-unknown|rcpt|550 5.1.1 Recipient not recognised
user-unknown|rcpt|550 5.1.1 That user isn't here
user-unknown|rcpt|550 5.1.0 Unknown recipient address
user-unknown|rcpt|554 5.1.1 The recipient's address is invalid or has been misspelt
mailbox-disabled|rcpt|550 5.2.1 Recipient mailbox has been closed
mailbox-full|rcpt|450 4.2.2 User is over the quota, try later
mailbox-full|rcpt|552 5.2.2 Mail box storage exceeded
filtered/blocked|rcpt|550 5.7.1 bob has chosen not to receive mail from you
rate-limited|rcpt|450 4.7.1 Recipient is receiving too much mail right now
not-accepting|rcpt|550 5.7.1 example.com does not receive email
host-unknown|rcpt|550 5.1.2 No such domain at this location
syntax|rcpt|501 5.1.3 Malformed recipient
policy|rcpt|554 5.7.1 Access denied by ACL rule 12
system-error|rcpt|451 4.3.0 Greylist database unavailable
spam|dot|554 5.7.1 Your message looks like spam to us
spam|dot|550 This message was classified as SPAM and may not be delivered
spam|dot|550 5.7.1 Refused. Your message scored 8.1 of 5.0 (spam)
virus|dot|550 5.7.1 Malware detected: Win32/Foo
content/virus|dot|554 5.7.1 Executable attachments are blocked
content|dot|550 5.7.1 A URL in this email was found to be harmful
content/policy|dot|550 5.7.1 Message contains prohibited words
auth-failure|dot|550 5.7.26 Sender did not authenticate with SPF or DKIM
auth-failure|dot|550 5.7.20 DKIM signature did not verify
auth-failure/policy|dot|550 5.7.1 From domain fails alignment
not-rfc-compliant|dot|554 5.6.0 Message-ID header is missing
not-rfc-compliant|dot|550 5.6.0 Invalid header found (see RFC2822 section 2.2)
not-rfc-compliant|dot|550 5.5.2 Date header is in the future
expired|dot|554 5.4.7 Message could not be delivered for 5 days
system-full|dot|452 4.3.1 Server disk is full
rate-limited|dot|450 4.7.28 Too many messages with the same content
policy|dot|550 5.7.1 Rejected by the administrator of example.com
network-error||451 4.4.2 Lost connection to upstream
system-error||421 4.3.0 Service shutting down
syntax||500 5.5.1 Command not understood
syntax||503 5.5.1 Command out of sequence
security|auth|535 5.7.8 Invalid login or password
security|auth|530 5.7.0 TLS must be used before AUTH
security|auth|535 5.7.1 Application password needed
starttls-failed|tls|554 5.7.3 Unable to initialize security subsystem
starttls-failed|tls|403 4.7.0 TLS handshake failed
`

// TestWordings holds the rules together to replies that are not their examples.
func TestWordings(t *testing.T) {
	file, err := os.ReadFile("testdata/wordings.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(wordings + string(file)) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 3)
		if len(f) < 3 || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		found := Find(strings.ReplaceAll(f[2], " // ", "\n"))
		if len(found) != 1 {
			t.Errorf("%q: %d replies", f[2], len(found))
			continue
		}
		found[0].Phase = f[1]
		if e := found[0].Explain(); !slices.Contains(strings.Split(f[0], "/"), e.Reason) {
			t.Errorf("%q: %s by its %s, want %s", f[2], e.Reason, e.Layer, f[0])
		}
	}
	if n < 1000 {
		t.Errorf("%d replies, want those of the file too", n)
	}
}
