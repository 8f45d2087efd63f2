package teardown

import (
	"slices"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

var created = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestClassify(t *testing.T) {
	data := Resource{Kind: KindVolume, Name: "data", Created: created.Format(time.RFC3339), Asked: true, Fate: Removed, Size: &Size{Bytes: 7}}
	web := Resource{Kind: KindContainer, Name: "web", ID: "c1", Asked: true, Fate: Removed}
	legacy := Resource{Kind: KindVolume, Name: "legacy", Fate: Kept, Reason: "external"}
	there := Snapshot{Volumes: []Volume{{Name: "data", Created: created}, {Name: "legacy", Created: created}}, Containers: []Container{{ID: "c1", Name: "web"}}}
	none := Snapshot{Volumes: []Volume{{Name: "legacy", Created: created}}}
	half := Snapshot{Volumes: there.Volumes}
	younger := Snapshot{Volumes: []Volume{{Name: "data", Created: created.Add(time.Hour)}, {Name: "legacy", Created: created}}}
	for name, c := range map[string]struct {
		after  After
		want   audit.Outcome
		lost   []string
		result Result
	}{
		"all gone":                        {After{Snapshot: none}, audit.Success, []string{"data"}, Gone},
		"all gone and a signal":           {After{Snapshot: none, Interrupted: true}, audit.Success, []string{"data"}, Gone},
		"nothing gone":                    {After{Snapshot: there}, audit.Failed, []string{}, Remained},
		"nothing gone, a signal":          {After{Snapshot: there, Interrupted: true}, audit.Cancelled, []string{}, Remained},
		"some gone":                       {After{Snapshot: half}, audit.Partial, []string{}, Remained},
		"some gone, a signal":             {After{Snapshot: half, Interrupted: true}, audit.Partial, []string{}, Remained},
		"made again":                      {After{Snapshot: younger, StableCreated: true}, audit.Success, []string{"data"}, Remade},
		"an old engine's CreatedAt moves": {After{Snapshot: younger}, audit.Partial, []string{}, Remained},
		"made again, told by an event":    {After{Snapshot: younger, Destroyed: []string{"data"}}, audit.Success, []string{"data"}, Remade},
	} {
		v := Classify(Inventory{Resources: []Resource{data, web, legacy}}, nil, c.after)
		if v.Outcome != c.want || !slices.Equal(v.Lost, c.lost) || v.Resources[0].Result != c.result {
			t.Errorf("%s: %s, lost %q, %s; want %s, %q, %s", name, v.Outcome, v.Lost, v.Resources[0].Result, c.want, c.lost, c.result)
		}
		if want := int64(7 * len(c.lost)); v.LostBytes != want {
			t.Errorf("%s: %d bytes lost, want %d", name, v.LostBytes, want)
		}
	}
	if v := Classify(Inventory{}, nil, After{}); v.Outcome != audit.Success {
		t.Errorf("nothing asked: %s", v.Outcome)
	}
}

// The birth of a volume's directory outweighs what the engine says.
func TestClassifyByBirth(t *testing.T) {
	r := Resource{Kind: KindVolume, Name: "data", Asked: true, Created: created.Format(time.RFC3339), Born: created.Format(time.RFC3339Nano)}
	for born, want := range map[time.Time]Result{created: Remained, created.Add(time.Millisecond): Remade} {
		after := After{Snapshot: Snapshot{Volumes: []Volume{{Name: "data", Created: created.Add(time.Hour), Born: born}}}, StableCreated: true}
		if v := Classify(Inventory{Resources: []Resource{r}}, nil, after); v.Resources[0].Result != want {
			t.Errorf("born %s: %s", born, v.Resources[0].Result)
		}
	}
}

func TestUnforeseen(t *testing.T) {
	known := []Volume{{Name: "stranger"}, {Name: "still"}}
	after := After{Snapshot: Snapshot{Volumes: []Volume{{Name: "still"}}}, Destroyed: []string{"stranger", "still", "newcomer"}}
	if v := Classify(Inventory{}, known, after); !slices.Equal(v.Unforeseen, []string{"stranger"}) || len(v.Lost) != 0 {
		t.Errorf("%q", v.Unforeseen)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		outcome audit.Outcome
		signal  int
		want    int
	}{{audit.Success, 0, 0}, {audit.Success, 2, 0}, {audit.Partial, 0, 3}, {audit.Partial, 15, 143}, {audit.Failed, 0, 1}, {audit.Cancelled, 2, 130}} {
		if got := ExitOf(c.outcome, c.signal); got != c.want {
			t.Errorf("%s, signal %d: %d, want %d", c.outcome, c.signal, got, c.want)
		}
	}
}
