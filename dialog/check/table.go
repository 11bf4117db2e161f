package check

import "slices"

// All is the table of checks, in the order in which they are shown. Each family has
// its rows in its own file.
func All() []Check {
	return slices.Concat(
		domainChecks(),
		routeChecks(),
		serverChecks(),
		extensionChecks(),
		tlsChecks(),
		certChecks(),
		daneChecks(),
		stsChecks(),
		activeChecks(),
		optInChecks(),
		spfChecks(),
		dkimChecks(),
		dmarcChecks(),
		bimiChecks(),
		sendChecks(),
		messageChecks(),
		bulkChecks(),
	)
}
