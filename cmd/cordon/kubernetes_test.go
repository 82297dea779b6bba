package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"cordon/config"
)

// manifest is what these tests ask of the objects of docker/kubernetes. Whether they are objects of Kubernetes at all is asked in
// .ci/tools/kubernetes.
type manifest struct {
	Spec struct {
		Type                  string
		ExternalTrafficPolicy string `yaml:"externalTrafficPolicy"`
		Ports                 []struct {
			Port       int
			TargetPort string `yaml:"targetPort"`
			Protocol   string
		}
		Template struct {
			Spec struct {
				TerminationGracePeriodSeconds int            `yaml:"terminationGracePeriodSeconds"`
				SecurityContext               map[string]any `yaml:"securityContext"`
				Containers                    []podContainer
				Volumes                       []struct {
					Name      string
					ConfigMap struct{ Name string } `yaml:"configMap"`
				}
			}
		}
	}
}

type podContainer struct {
	Env            []struct{ Name, Value string }
	Ports          []podPort
	StartupProbe   podProbe `yaml:"startupProbe"`
	ReadinessProbe podProbe `yaml:"readinessProbe"`
	LivenessProbe  podProbe `yaml:"livenessProbe"`
	Lifecycle      struct {
		PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
	}
	Resources struct {
		Limits map[string]string
	}
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type podPort struct {
	Name          string
	ContainerPort int `yaml:"containerPort"`
	Protocol      string
}

type podProbe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

const plain = repository + "/docker/kubernetes/plain"

func readYAML[T any](t *testing.T, file string) (read T) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &read); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return read
}

// inPod is the service file of the pods.
func inPod(t *testing.T) *config.Service {
	t.Helper()
	file := config.ReadFile(plain + "/cordon.yaml")
	service, faults := config.ParseService(&file, nil)
	if len(faults) > 0 {
		t.Fatal(faults.Render())
	}
	return service
}

func TestThePodsListenWhereKubernetesAsks(t *testing.T) {
	service, pod := inPod(t), readYAML[manifest](t, plain+"/deployment.yaml").Spec.Template.Spec.Containers[0]
	ports := map[string]podPort{}
	for _, p := range pod.Ports {
		ports[p.Name] = p
	}
	for _, at := range service.Listen.DNS {
		if !at.Addr().IsUnspecified() || int(at.Port()) != ports["dns-udp"].ContainerPort || int(at.Port()) != ports["dns-tcp"].ContainerPort {
			t.Errorf("queries are for %v, and the server listens on %s", pod.Ports, at)
		}
	}
	if service.Listen.DNS[0].Port() < 1024 {
		t.Error("the port needs a privilege that the container has not")
	}
	admin := service.Listen.Admin
	if !admin.Addr.Addr().IsUnspecified() || int(admin.Addr.Port()) != ports["admin"].ContainerPort {
		t.Errorf("the probes are for %v, and the server listens on %s", ports["admin"], admin)
	}
	for what, p := range map[string]podProbe{"startup": pod.StartupProbe, "readiness": pod.ReadinessProbe, "liveness": pod.LivenessProbe} {
		if get := p.HTTPGet; get.Port != "admin" || !slices.Contains(openPaths(), get.Path) {
			t.Errorf("the probe for %s is %+v, want one of %q at admin", what, get, openPaths())
		}
	}
	if pod.ReadinessProbe.HTTPGet.Path != "/readyz" || pod.LivenessProbe.HTTPGet.Path != "/healthz" {
		t.Error("a server that has no policy would be started anew, or asked")
	}
	udp, tcp := false, false
	outside := readYAML[manifest](t, plain+"/service.yaml").Spec
	for _, p := range outside.Ports {
		if p.Port != 53 || p.Protocol != ports[p.TargetPort].Protocol {
			t.Errorf("the service has %+v", p)
		}
		udp, tcp = udp || p.Protocol == "UDP", tcp || p.Protocol == "TCP"
	}
	if !udp || !tcp || outside.Type != "LoadBalancer" || outside.ExternalTrafficPolicy != "Local" {
		t.Errorf("the service is %+v", outside)
	}
}

func TestThePodsMountWhatTheServiceFileNames(t *testing.T) {
	service, spec := inPod(t), readYAML[manifest](t, plain+"/deployment.yaml").Spec.Template.Spec
	mounts := map[string]bool{} // read-only or not, by path
	for _, m := range spec.Containers[0].VolumeMounts {
		mounts[m.MountPath] = m.ReadOnly
	}
	want := map[string]bool{"/etc/cordon": true, service.PolicyDir: true, path.Dir(service.Admin.TokenFile): true, service.StateDir: false}
	if !maps.Equal(mounts, want) {
		t.Errorf("mounted are %v, want %v", mounts, want)
	}
	dockerfile := page(t, "docker/Dockerfile")
	if s := spec.SecurityContext; !strings.Contains(dockerfile, fmt.Sprintf("\nUSER %v:%v\n", s["runAsUser"], s["fsGroup"])) {
		t.Errorf("the image does not run as the pod does, %v", s)
	}
	if stop := spec.Containers[0].Lifecycle.PreStop.Sleep.Seconds; stop < 1 || spec.TerminationGracePeriodSeconds < stop+5 {
		t.Errorf("a pod sleeps %d s of the %d s that it has to end, and a server takes 5 s", stop, spec.TerminationGracePeriodSeconds)
	}
}

// The README says what memory a server takes; see there.
func TestThePodsHaveTheMemoryThatAServerTakes(t *testing.T) {
	service, pod := inPod(t), readYAML[manifest](t, plain+"/deployment.yaml").Spec.Template.Spec.Containers[0]
	mebibytes := func(text, unit string) int {
		count, ok := strings.CutSuffix(text, unit)
		n, err := strconv.Atoi(count)
		if !ok || err != nil {
			t.Fatalf("found %q, want a number of %s", text, unit)
		}
		return n
	}
	limit := mebibytes(pod.Resources.Limits["memory"], "Mi")
	if need := 2*int(service.Cache.MaxBytes>>20) + 100; limit < need {
		t.Errorf("a pod may have %d MiB, and takes %d", limit, need)
	}
	if goal := mebibytes(pod.Env[0].Value, "MiB"); pod.Env[0].Name != "GOMEMLIMIT" || goal > limit*9/10 || goal < limit*8/10 {
		t.Errorf("%s is %d MiB of %d", pod.Env[0].Name, goal, limit)
	}
}

func TestThePolicyOfThePodsIsWholeAndWithoutFaults(t *testing.T) {
	files, err := config.ReadPolicyDir(plain + "/policy")
	if err != nil {
		t.Fatal(err)
	}
	if _, faults := config.LoadPolicy(files, checkOptions(time.Now())); len(faults) > 0 {
		t.Error(faults.Render())
	}
	generated := readYAML[struct {
		ConfigMapGenerator []struct {
			Name  string
			Files []string
		} `yaml:"configMapGenerator"`
	}](t, plain+"/kustomization.yaml").ConfigMapGenerator
	named := map[string][]string{}
	for _, one := range generated {
		named[one.Name] = one.Files
	}
	var there []string
	err = fs.WalkDir(os.DirFS(plain), "policy", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			there = append(there, file)
		}
		return err
	})
	if err != nil || !slices.Equal(named["cordon-policy"], there) || !slices.Equal(named["cordon"], []string{"cordon.yaml"}) {
		t.Errorf("kustomization.yaml has %v, and there are %q (%v)", named, there, err)
	}
	for _, v := range readYAML[manifest](t, plain+"/deployment.yaml").Spec.Template.Spec.Volumes {
		if name := v.ConfigMap.Name; name != "" && named[name] == nil {
			t.Errorf("there is no ConfigMap %s", name)
		}
	}
}

// Each service of the compose file is confined, of one version, and reached from this host alone, but for what it is there for.
func TestTheServicesOfComposeAreConfined(t *testing.T) {
	compose := readYAML[struct {
		Services map[string]struct {
			Image       string
			Ports       []string
			Environment map[string]string
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			SecurityOpt []string `yaml:"security_opt"`
			Volumes     []string
		}
		Secrets map[string]struct{ File string }
	}](t, repository+"/docker/compose.yaml")
	if got := slices.Sorted(maps.Keys(compose.Services)); !slices.Equal(got, []string{"cordon", "grafana", "prometheus"}) {
		t.Fatalf("the services are %q", got)
	}
	pinned := regexp.MustCompile(`^[a-z/]+:v?\d+\.\d+\.\d+$`)
	for name, s := range compose.Services {
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if _, err := os.Stat(filepath.Join(repository, "docker", from)); err != nil && strings.HasPrefix(from, ".") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s is not confined", name)
		}
		if name == "cordon" {
			continue
		}
		if !pinned.MatchString(s.Image) {
			t.Errorf("%s is of the image %s, want one version", name, s.Image)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s is reached from other hosts at %s", name, p)
			}
		}
	}
	grafana := compose.Services["grafana"].Environment
	secret, _ := strings.CutPrefix(grafana["GF_SECURITY_ADMIN_PASSWORD__FILE"], "/run/secrets/")
	if compose.Secrets[secret].File == "" || grafana["GF_AUTH_ANONYMOUS_ENABLED"] != "false" {
		t.Errorf("who may use Grafana: %v", grafana)
	}
	ignored := page(t, ".gitignore")
	for name, s := range compose.Secrets {
		if !strings.Contains(ignored, "/docker/"+filepath.Base(s.File)+"\n") {
			t.Errorf("the secret %s reaches the repository", name)
		}
	}
}
