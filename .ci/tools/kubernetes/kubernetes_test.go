// Package kubernetes holds the example of docker/kubernetes against the types of Kubernetes itself: what kustomize makes of it is decoded
// strictly, so that a field that is misspelt, in the wrong place or of another type is a fault. Its modules are many, so it is a module of
// its own, and .ci/run runs it.
package kubernetes

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/pod-security-admission/api"
	security "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const examples = "../../../docker/kubernetes"

// build is what `kubectl apply -k` would send: one document an object.
func build(t *testing.T, dir string) [][]byte {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(examples, dir))
	if err != nil {
		t.Fatal(err)
	}
	var documents [][]byte
	for _, one := range made.Resources() {
		text, err := one.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, text)
	}
	return documents
}

// decoder decodes the kinds of objects that the example may have.
func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{core.AddToScheme, apps.AddToScheme, networking.AddToScheme, policy.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
}

func TestEveryObjectIsOneOfKubernetes(t *testing.T) {
	d := decoder(t)
	for dir, want := range map[string][]string{
		"plain":   {"ConfigMap", "ConfigMap", "Deployment", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "Service"},
		"keeping": {"ConfigMap", "ConfigMap", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "Service", "StatefulSet"},
	} {
		var kinds []string
		for _, text := range build(t, dir) {
			_, kind, err := d.Decode(text, nil, nil)
			if err != nil {
				t.Fatalf("%s: %v in\n%s", dir, err, text)
			}
			kinds = append(kinds, kind.Kind)
		}
		if slices.Sort(kinds); !slices.Equal(kinds, want) {
			t.Errorf("%s has %q, want %q", dir, kinds, want)
		}
	}
}

// pods are the template of the pods, their selector and the volumes that each has of its own.
func pods(t *testing.T, dir string) (template core.PodTemplateSpec, selector map[string]string, claims []string) {
	t.Helper()
	for _, text := range build(t, dir) {
		object, _, err := decoder(t).Decode(text, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch o := object.(type) {
		case *apps.Deployment:
			return o.Spec.Template, o.Spec.Selector.MatchLabels, nil
		case *apps.StatefulSet:
			for _, c := range o.Spec.VolumeClaimTemplates {
				claims = append(claims, c.Name)
			}
			return o.Spec.Template, o.Spec.Selector.MatchLabels, claims
		}
	}
	t.Fatalf("%s has no pods", dir)
	return template, nil, nil
}

// What the types can't say: names that are written twice are the same.
func TestWhatAPodRefersToIsThere(t *testing.T) {
	for _, dir := range []string{"plain", "keeping"} {
		template, selector, volumes := pods(t, dir)
		for _, v := range template.Spec.Volumes {
			volumes = append(volumes, v.Name)
		}
		slices.Sort(volumes)
		var mounted []string
		for _, m := range template.Spec.Containers[0].VolumeMounts {
			mounted = append(mounted, m.Name)
		}
		if slices.Sort(mounted); !slices.Equal(mounted, volumes) {
			t.Errorf("%s mounts %q, and has the volumes %q", dir, mounted, volumes)
		}
		ports := map[string]bool{}
		for _, p := range template.Spec.Containers[0].Ports {
			ports[p.Name] = true
		}
		for _, text := range build(t, dir) {
			object, _, err := decoder(t).Decode(text, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range refersTo(object) {
				if !ports[one] && one != "53" && one != "443" {
					t.Errorf("%s: %T refers to the port %s, which no container has", dir, object, one)
				}
			}
			if chosen := chooses(object); chosen != nil && fmt.Sprint(chosen) != fmt.Sprint(template.Labels) {
				t.Errorf("%s: %T is for pods with %v, and they have %v", dir, object, chosen, template.Labels)
			}
		}
		if fmt.Sprint(selector) != fmt.Sprint(template.Labels) {
			t.Errorf("%s: pods have the labels %v, and those with %v are meant", dir, template.Labels, selector)
		}
	}
}

// refersTo are the ports of containers that an object names.
func refersTo(object runtime.Object) (ports []string) {
	switch o := object.(type) {
	case *core.Service:
		for _, p := range o.Spec.Ports {
			ports = append(ports, p.TargetPort.String())
		}
	case *networking.NetworkPolicy:
		for _, rule := range o.Spec.Ingress {
			for _, p := range rule.Ports {
				ports = append(ports, p.Port.String())
			}
		}
	}
	return ports
}

// chooses are the labels of the pods that an object is for, nil if it is for none.
func chooses(object runtime.Object) map[string]string {
	switch o := object.(type) {
	case *core.Service:
		return o.Spec.Selector
	case *networking.NetworkPolicy:
		return o.Spec.PodSelector.MatchLabels
	case *policy.PodDisruptionBudget:
		return o.Spec.Selector.MatchLabels
	}
	return nil
}

// The namespace takes no pods that are not confined as the Pod Security Standards have it, so these have to be: the judge is the one that
// the API server has.
func TestThePodsAreRestricted(t *testing.T) {
	judge, err := security.NewEvaluator(security.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	strictest := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, dir := range []string{"plain", "keeping"} {
		template, _, _ := pods(t, dir)
		for _, said := range judge.EvaluatePod(strictest, &template.ObjectMeta, &template.Spec) {
			if !said.Allowed {
				t.Errorf("%s: %s: %s", dir, said.ForbiddenReason, said.ForbiddenDetail)
			}
		}
		template.Spec.Containers[0].SecurityContext.Capabilities = nil
		if security.AggregateCheckResults(judge.EvaluatePod(strictest, &template.ObjectMeta, &template.Spec)).Allowed {
			t.Errorf("%s: a pod with capabilities is restricted as well", dir)
		}
	}
}

// A check that finds nothing finds faults that are there.
func TestAMistakeIsFound(t *testing.T) {
	for _, mistake := range []struct{ kind, old, made string }{
		{"Deployment", "readOnlyRootFilesystem: true", "readonlyRootFilesystem: true"},
		{"Deployment", "replicas: 2", `replicas: "2"`},
		{"Deployment", "httpGet:", "httpget:"},
		{"Deployment", "whenUnsatisfiable:", "whenUnsatisfied:"},
		{"Service", "externalTrafficPolicy: Local", "externalTraffic: Local"},
		{"Service", "port: 53", "port: dns"},
		{"PodDisruptionBudget", "policy/v1", "policy/v2"},
		{"NetworkPolicy", "kind: NetworkPolicy", "kind: NetworkRule"},
		{"StatefulSet", "serviceName: cordon", "strategy: {}"},
	} {
		dir := map[bool]string{true: "keeping", false: "plain"}[mistake.kind == "StatefulSet"]
		found := false
		for _, text := range build(t, dir) {
			if !strings.Contains(string(text), "kind: "+mistake.kind+"\n") || !bytes.Contains(text, []byte(mistake.old)) {
				continue
			}
			wrong := bytes.Replace(text, []byte(mistake.old), []byte(mistake.made), 1)
			if _, _, err := decoder(t).Decode(wrong, nil, nil); err == nil {
				t.Errorf("%s in a %s is no fault", mistake.made, mistake.kind)
			}
			found = true
		}
		if !found {
			t.Errorf("there is no %s in a %s", mistake.old, mistake.kind)
		}
	}
}
