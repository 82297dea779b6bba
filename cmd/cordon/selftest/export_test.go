package selftest

import (
	"context"
	"net/netip"
	"time"

	"cordon/blocklists/domain"
)

// Hurry makes t wait next to nothing before it asks again, and patience for an answer.
func (t *Tester) Hurry(patience time.Duration) { t.between, t.patience = time.Millisecond, patience }

// Test runs rounds until one counts, and returns how long Run would wait.
func (t *Tester) Test(ctx context.Context) time.Duration { return t.test(ctx) }

// Open makes socket the one that t has open.
func (t *Tester) Open(socket netip.AddrPort) { t.socket.Store(&socket) }

// Claim is the claim of a query of t that asks for client.
func (t *Tester) Claim(client netip.Addr) []byte { return t.claim(client) }

// Query asks for name with a claim.
func Query(name string, claim []byte) []byte { return newQuery(domain.MustParse(name), claim) }

// Judge says what is wrong with an answer.
func Judge(expect string, answer []byte) string { return judge(expect, answer) }
