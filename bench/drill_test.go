package bench

import (
	"bytes"
	"testing"
)

// TestDrill commits each fault against the built holdfast and real servers; the limits are those of the guarantees.
func TestDrill(t *testing.T) {
	for _, d := range Drills() {
		t.Run(d.Name, func(t *testing.T) {
			report, err := d.Run(t.Context(), Options{Binary: binary(t)})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(&report)
			for _, p := range report.Broken() {
				t.Errorf("%s: got %s", p.Text, p.Got)
			}
		})
	}
}

func TestDemo(t *testing.T) {
	var out bytes.Buffer
	err := Demo(t.Context(), DemoOptions{Binary: binary(t), Out: &out, Clients: 20})
	t.Log("\n" + out.String())
	if err != nil {
		t.Error(err)
	}
}
