package config_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"cordon/config"
)

// service parses text as the file /etc/cordon/cordon.yaml, with flags.
func service(t *testing.T, text string, args ...string) (*config.Service, config.Faults) {
	t.Helper()
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	file := config.NewFile("/etc/cordon/cordon.yaml", []byte(text))
	return config.ParseService(&file, flags)
}

func wantNoFaults(t *testing.T, faults config.Faults) {
	t.Helper()
	if len(faults) > 0 {
		t.Fatalf("there are faults:\n%s", faults.Render())
	}
}

func TestDefaultsOfTheService(t *testing.T) {
	s, faults := config.ParseService(nil, nil)
	wantNoFaults(t, faults)
	if got, want := fmt.Sprint(s.Listen.DNS, s.Listen.Admin), "[127.0.0.1:5300 [::1]:5300] 127.0.0.1:9353"; got != want {
		t.Errorf("listens on %s, want %s", got, want)
	}
	for _, client := range []string{"127.0.0.1", "::1", "10.1.1.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "fe80::1"} {
		if !allows(s, client) {
			t.Errorf("%s may not ask", client)
		}
	}
	for _, client := range []string{"192.0.2.1", "2001:db8::1", "172.32.0.1", "100.128.0.1"} {
		if allows(s, client) {
			t.Errorf("%s may ask", client)
		}
	}
	if s.Cache.MaxBytes != 256<<20 || !s.Cache.ServeStale || s.Cache.MaxStale != 24*time.Hour {
		t.Errorf("the cache is %+v", s.Cache)
	}
	if s.Limits.QueryTimeout != 4500*time.Millisecond || s.Limits.WaitingTotal != 10_000 {
		t.Errorf("the limits are %+v", s.Limits)
	}
	if !s.Canaries.Firefox || !s.Canaries.ICloudPrivateRelay || s.Log.Level != "info" || s.ResolvConf != "/etc/resolv.conf" {
		t.Errorf("canaries %+v, log %+v, resolv_conf %s", s.Canaries, s.Log, s.ResolvConf)
	}
	if s.PolicyDir != "" || s.StateDir != "" || s.Upstreams != nil {
		t.Errorf("policy_dir %q, state_dir %q, upstreams %v: want none", s.PolicyDir, s.StateDir, s.Upstreams)
	}
}

func allows(s *config.Service, client string) bool {
	return slices.ContainsFunc(s.AllowClients, func(p netip.Prefix) bool { return p.Contains(netip.MustParseAddr(client)) })
}

func TestUpstreams(t *testing.T) {
	s, faults := service(t, `
upstreams:
  - {address: "10.0.0.1:5353", trusted: true}
  - {address: 10.0.0.2}
  - "2001:db8::53"
  - {address: "[2001:db8::54]"}
forward:
  - {zone: Internal.Example., upstreams: ["::ffff:192.0.2.1"]}
`)
	wantNoFaults(t, faults)
	var got []string
	for _, u := range s.Upstreams {
		got = append(got, fmt.Sprint(u.Address, " ", u.Trusted))
	}
	want := []string{"10.0.0.1:5353 true", "10.0.0.2:53 false", "[2001:db8::53]:53 false", "[2001:db8::54]:53 false"}
	if !slices.Equal(got, want) {
		t.Errorf("have %q, want %q", got, want)
	}
	f := s.Forward[0]
	if f.Zone.String() != "internal.example" || f.Upstreams[0].Address.String() != "192.0.2.1:53" {
		t.Errorf("forwards %s to %s", f.Zone, f.Upstreams[0].Address)
	}
	if got := s.Upstreams[2].Pos.String(); got != "/etc/cordon/cordon.yaml:5" {
		t.Errorf("the third upstream is at %s", got)
	}
}

func TestFlagBeforeEnvironmentBeforeFileBeforeDefault(t *testing.T) {
	t.Setenv("CORDON_LISTEN_ADMIN", "127.0.0.1:2")
	t.Setenv("CORDON_LOG_LEVEL", "warn")
	t.Setenv("CORDON_CACHE_MAX_BYTES", "1GiB")
	t.Setenv("CORDON_UPSTREAMS", "192.0.2.53, 192.0.2.54:5353")
	t.Setenv("CORDON_CANARIES_FIREFOX", "false")
	t.Setenv("CORDON_STATE_DIR", "")
	s, faults := service(t, "listen: {dns: ['127.0.0.1:1'], admin: '127.0.0.1:1'}\nlog: {level: error, format: json}\nstate_dir: state\n",
		"--listen", "127.0.0.1:3,[::1]:3", "--log-level=debug")
	wantNoFaults(t, faults)
	got := strings.TrimSpace(fmt.Sprintln(s.Listen.DNS, s.Listen.Admin, s.Log.Level, s.Log.Format, s.Cache.MaxBytes,
		s.Upstreams[1].Address, s.Canaries.Firefox, s.StateDir, s.Limits.WaitingTotal))
	want := "[127.0.0.1:3 [::1]:3] 127.0.0.1:2 debug json 1073741824 192.0.2.54:5353 false /etc/cordon/state 10000"
	if got != want {
		t.Errorf("have %s, want %s", got, want)
	}
	if at := s.Listen.At("dns").String(); at != "--listen" {
		t.Errorf("listen.dns is from %q, want --listen", at)
	}
	if at := s.Listen.At("admin").String(); at != "CORDON_LISTEN_ADMIN" {
		t.Errorf("listen.admin is from %q, want CORDON_LISTEN_ADMIN", at)
	}
}

func TestFaultsInFlagsAndEnvironmentNameThem(t *testing.T) {
	t.Setenv("CORDON_LISTEN_DNS", "53")
	t.Setenv("CORDON_CACHE_MAX_TTL", "30")
	t.Setenv("CORDON_LOG_LEVLE", "debug")
	t.Setenv("CORDON_SERVICE_HOST", "192.0.2.1") // Kubernetes
	_, faults := service(t, "{}", "--admin", "nowhere", "--log-level", "loud")
	var got []string
	for _, f := range faults {
		file, _, _ := strings.Cut(f.String(), ": ")
		got = append(got, file)
	}
	want := []string{"--admin", "--log-level", "CORDON_CACHE_MAX_TTL", "CORDON_LISTEN_DNS", "CORDON_LOG_LEVLE"}
	if !slices.Equal(got, want) {
		t.Errorf("have faults of %q, want of %q:\n%s", got, want, faults.Render())
	}
	if last := faults[len(faults)-1]; !last.Warning || !strings.Contains(last.Message, "CORDON_LOG_LEVEL") {
		t.Errorf("%s: want a warning that names CORDON_LOG_LEVEL", last)
	}
}

func TestTheFileIsCheckedEvenWhereItIsOverridden(t *testing.T) {
	_, faults := service(t, "log: {level: loud}\n", "--log-level", "info")
	if len(faults) != 1 || faults[0].Line != 1 {
		t.Errorf("have %v, want one fault on line 1", faults)
	}
}

func TestPathsAreRelativeToWhatNamesThem(t *testing.T) {
	s, faults := service(t, "policy_dir: policy\nstate_dir: /var/lib/cordon\nresolv_conf: ../resolv.conf\n", "--state-dir", "state")
	wantNoFaults(t, faults)
	if s.PolicyDir != "/etc/cordon/policy" || s.StateDir != "state" || s.ResolvConf != "/etc/resolv.conf" {
		t.Errorf("policy_dir %s, state_dir %s, resolv_conf %s", s.PolicyDir, s.StateDir, s.ResolvConf)
	}
}

func TestAdminCanBeOff(t *testing.T) {
	s, faults := service(t, "listen: {admin: off}\n")
	wantNoFaults(t, faults)
	if s.Listen.Admin.IsValid() {
		t.Errorf("admin listens on %s, want none", s.Listen.Admin)
	}
}

func TestFindService(t *testing.T) {
	t.Chdir(t.TempDir())
	if path, err := config.FindService("missing.yaml"); err == nil {
		t.Errorf("a missing file that was asked for is found as %q", path)
	}
	if err := os.WriteFile("cordon.yaml", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := config.FindService(""); err != nil || path != "cordon.yaml" {
		t.Errorf("found %q, %v, want cordon.yaml", path, err)
	}
	other := filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(other, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := config.FindService(other); err != nil || path != other {
		t.Errorf("found %q, %v, want %s", path, err, other)
	}
}

func TestAServiceFileThatCannotBeReadIsAFault(t *testing.T) {
	file := config.ReadFile(filepath.Join(t.TempDir(), "cordon.yaml"))
	if _, faults := config.ParseService(&file, nil); !faults.Bad() {
		t.Error("a missing file has no fault")
	}
}

func TestTheAdminListenerIsAnAddressOrASocketOrOff(t *testing.T) {
	for text, want := range map[string]struct {
		is      string
		private bool
	}{
		"127.0.0.1:9353":              {"127.0.0.1:9353", true},
		"[::1]:9353":                  {"[::1]:9353", true},
		"192.0.2.1:9353":              {"192.0.2.1:9353", false},
		"unix:/run/cordon/admin.sock": {"unix:/run/cordon/admin.sock", true},
		"unix:admin.sock":             {"unix:/etc/cordon/admin.sock", true},
		"off":                         {"off", false},
	} {
		s, faults := service(t, "admin: {token_file: token}\nlisten: {admin: '"+text+"'}\n")
		wantNoFaults(t, faults)
		if e := s.Listen.Admin; e.String() != want.is || e.IsPrivate() != want.private || e.IsValid() != (want.is != "off") {
			t.Errorf("%s is %s, private: %t", text, e, e.IsPrivate())
		}
	}
}

// A flag and a variable can open the listener to strangers too.
func TestAnAdminListenerForStrangersNeedsAToken(t *testing.T) {
	_, faults := service(t, "{}", "--admin", "0.0.0.0:9353")
	if !faults.Bad() || faults[0].File != "--admin" {
		t.Errorf("have %v, want a fault of --admin", faults)
	}
	t.Setenv("CORDON_ADMIN_TOKEN_FILE", "/run/secrets/admin-token")
	s, faults := service(t, "{}", "--admin", "0.0.0.0:9353")
	wantNoFaults(t, faults)
	if s.Admin.TokenFile != "/run/secrets/admin-token" {
		t.Errorf("the token is in %q", s.Admin.TokenFile)
	}
}
