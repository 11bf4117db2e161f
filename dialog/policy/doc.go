// Package policy finds out what a domain demands of TLS: by DANE, by MTA-STS, and
// where it wants reports.
//
//	FindDANE    the TLSA records of a host (RFC 7672): a *DANE
//	DANE        its State, its records, and Verify, which holds a certificate to them
//	Verdict     what that came to: lines to show, and the records that would match
//	FindSTS     the MTA-STS record and policy of a domain (RFC 8461): an *STS
//	Fetcher     gets the policy over HTTPS; FetchError says why it could not
//	FindReports the TLS-RPT record of a domain (RFC 8460): a *Reports
//	Decide      what all that means for one host: a Demand
//	Line        one thing that was checked of a certificate, and how it came out
//
// A *DANE, an *STS and a *Reports are events of the transcript too. Names of the DNS
// are those of package route: absolute, without their last dot, in lower case.
package policy
