package effect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
	"cordon/cmd/cordon/effect"
	"cordon/resolver/policy"
)

// government is a policy of a ban for a tree of agencies, and one exception.
func government(t *testing.T, change func(*policy.Config)) *policy.Snapshot {
	t.Helper()
	c := policy.Config{
		ID:       1,
		Lists:    []*blocklists.List{load(t, blocklists.Source{Name: "tiktok", Format: format.Names, Inline: []string{"tiktok.com", "tiktokcdn.com"}})},
		Policies: []policy.Policy{{Name: "ban", LegalReference: "Circular 1", Lists: []string{"tiktok"}, Until: day(9)}},
		Agencies: []policy.Agency{
			{Name: "harbours", Parent: "federal", Networks: prefixes("10.10.7.0/24")},
			{Name: "federal", Networks: prefixes("10.10.0.0/16"), Policies: []string{"ban"}},
			{Name: "archives", Parent: "federal", Networks: prefixes("10.10.8.0/24")},
			{Name: "default", Mode: policy.Off},
		},
		Exceptions: []policy.Exception{{Name: "phone", Agency: "harbours", Clients: prefixes("10.10.7.42/32"), ApprovedBy: "the chair", Until: day(5)}},
	}
	change(&c)
	return compile(t, c)
}

func TestADifferenceIsToldInSentences(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*policy.Config)
		want   []string
	}{
		{"nothing", func(*policy.Config) {}, []string{"Nothing changes in effect"}},
		{"words alone", func(c *policy.Config) {
			c.Policies[0].Authority, c.Exceptions[0].Reason = "the council", "other words"
			c.Policies[0].Prolonged = []policy.Prolonged{{On: day(1), Until: day(9)}}
		}, []string{"Nothing changes in effect"}},
		{"what is over", func(c *policy.Config) { c.Policies[0].From = day(-9) }, []string{"Nothing changes in effect"}},
		{"a prolongation", func(c *policy.Config) { c.Policies[0].Until = day(19) }, []string{
			"federal and the 2 agencies below it: from 2023-06-10 to the end of 2023-06-19: newly refused: tiktok (2 names) by ban, Circular 1",
			"policy ban: prolonged: to the end of 2023-06-19; it was to the end of 2023-06-09",
		}},
		{"an extension", func(c *policy.Config) { c.Exceptions[0].Until = day(7) }, []string{
			"harbours: 10.10.7.42: from 2023-06-06 to the end of 2023-06-07: newly excepted: tiktok (2 names) from ban, Circular 1 (exception phone)",
			"exception phone: extended: to the end of 2023-06-07; it was to the end of 2023-06-05",
		}},
		{"a revocation", func(c *policy.Config) {
			c.Exceptions[0].Until, c.Exceptions[0].Revoked, c.Exceptions[0].RevokedBy = day(3), day(3), "the board"
		}, []string{
			"harbours: 10.10.7.42: from 2023-06-04 to the end of 2023-06-05: no longer excepted, but refused: tiktok (2 names) by ban, Circular 1 " +
				"(exception phone)",
			"exception phone: revoked by the board, to the end of 2023-06-03; it was to the end of 2023-06-05",
		}},
		{"an exception less", func(c *policy.Config) { c.Exceptions = nil }, []string{
			"harbours: 10.10.7.42: at once, to the end of 2023-06-05: no longer excepted, but refused: tiktok (2 names) by ban, Circular 1 (exception phone)",
			"exception phone: gone; it was for harbours, 10.10.7.42, from the beginning to the end of 2023-06-05, approved by the chair",
		}},
		{"a mode", func(c *policy.Config) { c.Agencies[0].Mode = policy.ObserveOnly }, []string{
			"harbours (but not 10.10.7.42): at once, to the end of 2023-06-09: only observed (refused before): tiktok (2 names) by ban, Circular 1",
			"harbours: 10.10.7.42: from 2023-06-06 to the end of 2023-06-09: only observed (refused before): tiktok (2 names) by ban, Circular 1",
			"agency harbours: mode observe, it was enforce",
		}},
		{"an answer", func(c *policy.Config) { c.Policies[0].Answer, c.Policies[0].EDE = policy.NoData, 16 }, []string{
			"policy ban: answer nodata, it was nxdomain; EDE 16, it was 15",
		}},
		{"a title", func(c *policy.Config) { c.Policies[0].Title = map[string]string{"nl": "x", "fr": "y"} }, []string{
			"policy ban: another title in fr and nl",
		}},
		{"a network that moves", func(c *policy.Config) { c.Agencies[2].Networks = prefixes("10.10.9.0/24") }, []string{
			"10.10.8.0/24: from the agency archives to federal",
			"10.10.9.0/24: from the agency federal to archives",
		}},
		{"a network more", func(c *policy.Config) { c.Agencies[2].Networks = prefixes("10.10.8.0/24", "192.0.2.0/24") }, []string{
			"archives: 192.0.2.0/24: at once, to the end of 2023-06-09: newly refused: tiktok (2 names) by ban, Circular 1",
			"192.0.2.0/24: from the agency default to archives; these clients may newly ask",
		}},
		{
			"no policy of an agency", func(c *policy.Config) {
				c.Policies = append(c.Policies, policy.Policy{Name: "idle", Lists: []string{"tiktok"}, Recommendation: true})
			},
			[]string{"Nothing changes in effect"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := effect.Compare(government(t, func(*policy.Config) {}), government(t, test.change), day(0).Add(-time.Hour))
			if got := d.Sentences(); !slices.Equal(got, test.want) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if d.Nothing() != (test.want[0] == "Nothing changes in effect") {
				t.Errorf("nothing: %t", d.Nothing())
			}
		})
	}
}

func TestSentencesHaveBounds(t *testing.T) {
	d := effect.Compare(government(t, func(*policy.Config) {}), government(t, func(c *policy.Config) {
		for i := range 100 {
			c.Exceptions = append(c.Exceptions, policy.Exception{Name: fmt.Sprintf("e%d", i), Agency: "archives", Until: day(i + 1)})
		}
		c.Exceptions[0].ApprovedBy = "\x1b[31m" + strings.Repeat("ä\n", 4000)
		c.Exceptions[0].Name = "renamed"
	}), day(0))
	all := d.Sentences()
	if len(all) != 40 || !strings.HasPrefix(all[39], "and ") || !strings.HasSuffix(all[39], " more differences") {
		t.Errorf("%d sentences, the last is %q", len(all), all[len(all)-1])
	}
	for _, s := range all {
		if len(s) > 400 || strings.ContainsAny(s, "\n\x1b") {
			t.Errorf("%q", s)
		}
	}
	if strings.Contains(shown(d), "\x1b") {
		t.Error("what the policy says reaches the terminal as it is")
	}
}

// An agency that writes thousands of exceptions costs its own part of the difference, not that of others, nor minutes.
func TestWhatCostsTooMuchIsSaidToBeMissing(t *testing.T) {
	many := func(c *policy.Config) {
		for i := range 4000 {
			name := domain.MustParse(fmt.Sprintf("n%d.tiktok.com", i))
			c.Exceptions = append(c.Exceptions, policy.Exception{
				Name: fmt.Sprintf("e%d", i), Agency: "archives", Names: []domain.Name{name}, Until: day(2).Add(time.Duration(i) * time.Minute),
			})
		}
	}
	d := effect.Compare(government(t, many), government(t, func(c *policy.Config) {
		many(c)
		c.Policies[0].Until = day(19)
	}), day(0))
	want := []string{
		"harbours and federal: from 2023-06-10 to the end of 2023-06-19: newly refused: tiktok (2 names) by ban, Circular 1",
		"archives: not compared from 2023-06-01 on, too many exceptions begin and end",
		"policy ban: prolonged: to the end of 2023-06-19; it was to the end of 2023-06-09",
	}
	if got := d.Sentences(); !slices.Equal(got, want) || d.Nothing() {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
