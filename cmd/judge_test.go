package cmd

import (
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// TestJudgeNoServers: where no DNS server is known, asking again without one is no advice.
func TestJudgeNoServers(t *testing.T) {
	v := judge(&route.NoRoute{Domain: "example.net", Err: &route.NoServers{}}, "example.net")
	if v.Status != StatusNoAnswer || !strings.HasPrefix(v.Next, "ehlo mx example.net --dns-server ") {
		t.Errorf("%+v", v)
	}
}
