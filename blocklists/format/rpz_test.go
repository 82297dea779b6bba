package format_test

import (
	"fmt"
	"strings"
	"testing"

	"cordon/blocklists/format"
)

func TestRPZ(t *testing.T) {
	t.Parallel()
	const soa = "@ SOA ns.example. mail.example. 1 1h 1h 1w 1h\n"
	testLines(t, format.RPZ, []lineTest{
		{"tiktok.com CNAME .", []string{"1 exact tiktok.com"}},
		{"*.tiktok.com CNAME .", []string{"1 below tiktok.com"}},
		{"tiktok.com 60 IN CNAME *.", []string{"1 exact tiktok.com"}},
		{"tiktok.com in 1h30m cname rpz-drop.", []string{"1 exact tiktok.com"}},
		{"tiktok.com CNAME garden.example.", []string{"1 exact tiktok.com"}},
		{"*.tiktok.com CNAME *.garden.example.", []string{"1 below tiktok.com"}},
		{"*.tiktok.com CNAME *.tiktok.com.", []string{"1 below tiktok.com"}},
		{"tiktok.com A 192.0.2.1\n AAAA 2001:db8::1\n TXT \"a ; b\"\n\nTikTok.com TYPE65 \\# 0", []string{"1 exact tiktok.com"}},
		{"www.tiktok.com CNAME rpz-passthru.", []string{"1 allow exact www.tiktok.com"}},
		{"*.tiktok.com CNAME RPZ-PassThru. ; old", []string{"1 allow below tiktok.com"}},
		{"www.tiktok.com CNAME WWW.tiktok.com.", []string{"1 allow exact www.tiktok.com"}},
		{"www.tiktok.com CNAME www.tiktok.com", []string{"1 exact www.tiktok.com"}},
		{"24.0.2.0.192.rpz-ip CNAME .", []string{"1 192.0.2.0/24"}},
		{"32.1.2.0.192.rpz-ip CNAME rpz-passthru.", []string{"1 allow 192.0.2.1/32"}},
		{"32.zz.db8.2001.rpz-ip CNAME .", []string{"1 2001:db8::/32"}},
		{"128.1.zz.db8.2001.rpz-ip CNAME .", []string{"1 2001:db8::1/128"}},
		{"128.8.7.6.5.4.3.db8.2001.rpz-ip A 192.0.2.1", []string{"1 2001:db8:3:4:5:6:7:8/128"}},
		{"128.1.zz.rpz-ip CNAME .", []string{"1 ::1/128"}},
		{"120.0.c000.ffff.zz.rpz-ip CNAME .", []string{"1 192.0.0.0/24"}},
		{"m\u00fcnchen.example CNAME .", []string{"1 exact xn--mnchen-3ya.example"}},
		{`a\.b.example CNAME .`, []string{`1 exact a\.b.example`}},
		{`a\;b.example CNAME .;c`, []string{`1 exact a\059b.example`}},
		{"; tiktok.com CNAME .", nil},
		{soa + "  NS ns.example.\n@ TXT \"version 1\"\n", nil},
		{"@ IN SOA ns.example. mail.example. ( ; (\n1 ; )\n1h 1h\n1w 1h )\na.example CNAME .\n", []string{"5 exact a.example"}},

		// The name of the zone.
		{"$ORIGIN rpz.example.\n@ SOA a. b. 1 1 1 1 1\na.example CNAME .\nb.example.rpz.example. CNAME .", []string{"3 exact a.example", "4 exact b.example"}},
		{"rpz.example. SOA a. b. 1 1 1 1 1\na.example CNAME .\nb.example.RPZ.example. CNAME .", []string{"2 exact a.example", "3 exact b.example"}},
		{"$ORIGIN .\nrpz.example SOA a. b. 1 1 1 1 1\n$ORIGIN com.rpz.example.\ntiktok CNAME .\n$ORIGIN tiktok\nwww CNAME .", []string{"4 exact tiktok.com", "6 exact www.tiktok.com"}},
		{"$ORIGIN rpz.example.\n$ORIGIN com\ntiktok CNAME .\n*.tiktok CNAME .", []string{"3 exact tiktok.com", "4 below tiktok.com"}},
		{"$ORIGIN rpz.example.\na.example. CNAME .", []string{"2 fault a.example. CNAME .: …not in the zone"}},
		{"$ORIGIN rpz.example.\na.xrpz.example. CNAME .\n", []string{"2 fault a.xrpz.example. CNAME .: …not in the zone"}},
		{"a.example. CNAME .", []string{"1 fault a.example. CNAME .: …want $ORIGIN"}},
		{soa + "$ORIGIN com.rpz.example.\ntiktok CNAME .", []string{"3 fault tiktok CNAME .: …want $ORIGIN"}},

		{"tiktok.com CNAME rpz-tcp-only.", []string{"1 fault tiktok.com CNAME rpz-tcp-only.: …over TCP"}},
		{"tiktok.com CNAME rpz-passthru", []string{"1 fault tiktok.com CNAME rpz-passthru: …final dot"}},
		{"tiktok.com CNAME rpz-log.", []string{"1 fault tiktok.com CNAME rpz-log.: …not known"}},
		{"32.1.2.0.192.rpz-client-ip CNAME .", []string{"1 fault 32.1.2.0.192.rpz-client-ip CNAME .: …who asks"}},
		{"32.1.2.0.192.rpz-nsip CNAME .", []string{"1 fault 32.1.2.0.192.rpz-nsip CNAME .: …rpz-nsip is about the servers"}},
		{"ns.example.rpz-nsdname CNAME .", []string{"1 fault ns.example.rpz-nsdname CNAME .: …rpz-nsdname is about the servers"}},
		{"24.1.2.0.192.rpz-ip CNAME .", []string{"1 fault 24.1.2.0.192.rpz-ip CNAME .: …want 192.0.2.0/24"}},
		{"0.0.0.0.0.rpz-ip CNAME .", []string{"1 fault 0.0.0.0.0.rpz-ip CNAME .: …every address"}},
		{"33.1.2.0.192.rpz-ip CNAME .", []string{"1 fault 33.1.2.0.192.rpz-ip CNAME .: …neither"}},
		{"24.2.0.192.rpz-ip CNAME .", []string{"1 fault 24.2.0.192.rpz-ip CNAME .: …no network"}},
		{"128.zz.1.zz.rpz-ip CNAME .", []string{"1 fault 128.zz.1.zz.rpz-ip CNAME .: …no network"}},
		{"rpz-ip CNAME .", []string{"1 fault rpz-ip CNAME .: …no network"}},
		{"1.2.0.192 CNAME .", []string{"1 fault 1.2.0.192 CNAME .: …number"}},
		{"* CNAME .", []string{"1 fault * CNAME .: …the root"}},
		{"*.rpz-ip CNAME .", []string{"1 fault *.rpz-ip CNAME .: …no network"}},
		{"www.*.tiktok.com CNAME .", []string{"1 fault www.*.tiktok.com CNAME .: …first label"}},
		{"tik*.example CNAME .", []string{"1 fault tik*.example CNAME .: …first label"}},
		{"*tik.example CNAME .\n CNAME .", []string{"1 fault *tik.example CNAME .: …first label", "2 fault  CNAME .: …first label"}},
		{"a..example CNAME .\nb.example CNAME .", []string{"1 fault a..example CNAME .: …two dots", "2 exact b.example"}},
		{"$INCLUDE other.zone", []string{"1 fault $INCLUDE other.zone: …not read"}},
		{"$GENERATE 1-9 a$ CNAME .", []string{"1 fault $GENERATE 1-9 a$ CNAME .: …not generated"}},
		{"$FOO", []string{"1 fault $FOO: …not known"}},
		{"$ORIGIN *.example.", []string{"1 fault $ORIGIN *.example.: …origin"}},
		{"$ORIGIN", []string{"1 fault $ORIGIN: …empty"}},
		{" CNAME .", []string{"1 fault  CNAME .: …no owner"}},
		{"tiktok.com", []string{"1 fault tiktok.com: …format names"}},
		{"tiktok.com CNAME", []string{"1 fault tiktok.com CNAME: …no data"}},
		{"tiktok.com FOO .", []string{"1 fault tiktok.com FOO .: …no record"}},
		{"tiktok.com DNAME example.", []string{"1 fault tiktok.com DNAME example.: …DNAME"}},
		{"0.0.0.0 tiktok.com", []string{"1 fault 0.0.0.0 tiktok.com: …format hosts"}},
		{"a.example TXT (\nb.example CNAME .\n\nc.example CNAME .\n", []string{
			"1 fault a.example TXT (: …not closed", "2 exact b.example", "4 exact c.example",
		}},
		{"a.example TXT ( (\nb.example A ( )", []string{"1 fault a.example TXT ( (: …not closed", "2 fault b.example A ( ): …no data"}},
		{"a.example TXT (\n \"b\" \"c\n CNAME .", []string{"1 fault a.example TXT (: …not closed", `2 fault  \"b\" \"c: …no record`, "3 fault  CNAME .: …no owner"}},
	})
}

func TestLongEntryCostsItsFirstLine(t *testing.T) {
	t.Parallel()
	const next = 20_000
	text := "a.example TXT (\n" + strings.Repeat("b.example CNAME .\n", next) + "c.example CNAME .\n"
	got := show(format.RPZ, strings.NewReader(text))
	if len(got) != 3 || !strings.HasPrefix(got[0], "1 fault a.example TXT (: the parenthesis is not closed within 65536") ||
		got[1] != "2 exact b.example" || got[2] != fmt.Sprintf("%d exact c.example", next+2) {
		t.Errorf("got %q", got)
	}
	text = "a.example TXT (\n" + strings.Repeat("x", 70_000) + "\nb.example CNAME .\n"
	got = show(format.RPZ, strings.NewReader(text))
	if len(got) != 3 || !strings.HasPrefix(got[0], "1 fault") || !strings.HasPrefix(got[1], "2 fault xxx") || got[2] != "3 exact b.example" {
		t.Errorf("got %q", got)
	}
}
