# usage: spf.pl IP SENDER HELO [IP SENDER HELO]...
#
# What Perl's Mail::SPF makes of each: a line with the result.
use strict;
use warnings;
use Mail::SPF;

my $server = Mail::SPF::Server->new();
while (my ($ip, $sender, $helo) = splice(@ARGV, 0, 3)) {
    my $request = Mail::SPF::Request->new(scope => 'mfrom', identity => $sender, ip_address => $ip, helo_identity => $helo);
    print $server->process($request)->code, "\n";
}
