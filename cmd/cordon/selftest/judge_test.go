package selftest_test

import (
	"testing"

	"cordon/cmd/cordon/selftest"
	"cordon/resolver/answer"
	"cordon/resolver/wire"
)

func TestAnswersAreJudged(t *testing.T) {
	q := new(wire.Query)
	q.Parse(selftest.Query("www.example", nil))
	refusal := func(mode answer.Mode, code wire.EDECode) []byte {
		return answer.AppendRefusal(nil, q, answer.Refusal{Mode: mode, TTL: 30, EDE: &wire.EDE{Code: code, Text: "policy ban"}})
	}
	address := func(data string, code wire.EDECode) []byte {
		dst := wire.Begin(nil, q, wire.Success, 0)
		dst = wire.AppendRR(dst, []byte{0xC0, wire.HeaderLen}, wire.TypeA, wire.ClassINET, 60, []byte(data))
		return wire.Finish(dst, 0, q, wire.Success, wire.Sections{Answer: 1}, &wire.EDE{Code: code})
	}
	bare := func(rcode wire.Rcode, code wire.EDECode) []byte {
		return wire.Finish(wire.Begin(nil, q, rcode, 0), 0, q, rcode, wire.Sections{}, &wire.EDE{Code: code})
	}
	for name, c := range map[string]struct {
		answer           []byte
		refused, passing bool
	}{
		"NXDOMAIN by a policy":          {refusal(answer.NXDomain, wire.EDEBlocked), true, false},
		"NODATA by a policy":            {refusal(answer.NoData, wire.EDEBlocked), true, false},
		"REFUSED by a policy":           {refusal(answer.Refused, wire.EDEBlocked), true, false},
		"a null address by a policy":    {refusal(answer.NullIP, wire.EDEForged), true, false},
		"censored":                      {refusal(answer.NXDomain, wire.EDECensored), true, false},
		"passed":                        {answer.AppendPassed(nil, q), false, true},
		"an address":                    {address("\xC0\x00\x02\x01", wire.EDENone), false, true},
		"an address that is stale":      {address("\xC0\x00\x02\x01", wire.EDEStaleAnswer), false, true},
		"an address that is blocked":    {address("\xC0\x00\x02\x01", wire.EDEBlocked), false, true},
		"a null address of an upstream": {address("\x00\x00\x00\x00", wire.EDENone), false, true},
		"no such name":                  {bare(wire.NXDomain, wire.EDENone), false, true},
		"a failure":                     {bare(wire.ServFail, wire.EDENetworkError), false, true},
		"a failure that is blocked":     {bare(wire.ServFail, wire.EDEBlocked), false, true},
		"no policy is loaded":           {bare(wire.ServFail, wire.EDENotReady), false, false},
		"nobody we answer":              {answer.AppendProhibited(nil, q), false, false},
		"FORMERR":                       {bare(wire.FormErr, wire.EDENone), false, false},
		"a query":                       {q.Msg, false, false},
		"nothing":                       {nil, false, false},
	} {
		if wrong := selftest.Judge(selftest.Refuse, c.answer); (wrong == "") != c.refused {
			t.Errorf("%s: where it must be refused: %q", name, wrong)
		}
		if wrong := selftest.Judge(selftest.Pass, c.answer); (wrong == "") != c.passing {
			t.Errorf("%s: where it must pass: %q", name, wrong)
		}
	}
}
