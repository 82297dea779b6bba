//go:build linux || darwin

package audit_test

import (
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/cmd/cordon/audit"
)

func TestTheDiskOfTheLogIsAMetric(t *testing.T) {
	dir := t.TempDir()
	for where, want := range map[string]int{dir: 2, filepath.Join(dir, "not", "there"): 0} {
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(audit.New(audit.Config{Dir: where}))
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]float64{}
		for _, f := range families {
			if name := f.GetName(); name == "cordon_audit_disk_free_bytes" || name == "cordon_audit_disk_size_bytes" {
				values[name] = f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		free, size := values["cordon_audit_disk_free_bytes"], values["cordon_audit_disk_size_bytes"]
		if len(values) != want || free > size || want > 0 && size < 1<<20 {
			t.Errorf("%s: %v, want %d values, and no more free than there is", where, values, want)
		}
	}
}
