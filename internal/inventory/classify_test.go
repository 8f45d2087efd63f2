package inventory

import (
	"slices"
	"testing"
	"time"
)

var created = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestClassify(t *testing.T) {
	data := Resource{Kind: KindVolume, Name: "data", Created: created.Format(time.RFC3339), Asked: true, Fate: Removed, Size: &Size{Bytes: 7}, UsedBy: []string{"web"}}
	web := Resource{Kind: KindContainer, Name: "web", ID: "c1", Asked: true, Fate: Removed}
	legacy := Resource{Kind: KindVolume, Name: "legacy", Fate: Kept, Created: created.Format(time.RFC3339), Reason: "external"}
	old := Volume{Name: "legacy", Created: created}
	user := Container{ID: "c1", Name: "web", Mounts: []Mount{{Volume: "data"}}}
	again := Container{ID: "c2", Name: "web", Mounts: []Mount{{Volume: "data"}}}
	there := Snapshot{Volumes: []Volume{{Name: "data", Created: created}, old}, Containers: []Container{user}}
	none := Snapshot{Volumes: []Volume{old}}
	half := Snapshot{Volumes: there.Volumes}
	younger := []Volume{{Name: "data", Created: created.Add(time.Hour)}, old}
	for name, c := range map[string]struct {
		stable bool
		after  After
		lost   []string
		left   int
		went   bool
		result Result
	}{
		"all gone":                            {false, After{Snapshot: none}, []string{"data"}, 0, true, Gone},
		"nothing gone":                        {false, After{Snapshot: there}, []string{}, 2, false, Remained},
		"some gone":                           {false, After{Snapshot: half}, []string{}, 1, true, Remained},
		"made again":                          {true, After{Snapshot: Snapshot{Volumes: younger}}, []string{"data"}, 0, true, Remade},
		"an old engine's CreatedAt moves":     {false, After{Snapshot: Snapshot{Volumes: younger}}, []string{}, 1, true, Remained},
		"made again, told by an event":        {false, After{Snapshot: Snapshot{Volumes: younger}, Seen: Seen{Destroyed: []string{"data"}}}, []string{"data"}, 0, true, Remade},
		"nobody watched an old engine":        {false, After{Snapshot: Snapshot{Volumes: younger}, Unseen: true}, []string{}, 0, true, Unknown},
		"the events broke off":                {false, After{Snapshot: Snapshot{Volumes: younger}, Seen: Seen{Broken: true}}, []string{}, 0, true, Unknown},
		"nobody watched, its user is there":   {false, After{Snapshot: Snapshot{Volumes: younger, Containers: []Container{user}}, Unseen: true}, []string{}, 2, false, Remained},
		"nobody watched, another of its name": {false, After{Snapshot: Snapshot{Volumes: younger, Containers: []Container{again}}, Unseen: true}, []string{}, 0, true, Unknown},
		"nobody watched a newer engine":       {true, After{Snapshot: half, Unseen: true}, []string{}, 1, true, Remained},
	} {
		inv := Inventory{Engine: Engine{StableCreated: c.stable}, Resources: []Resource{data, web, legacy}}
		v := Classify(inv, there, c.after, nil)
		if !slices.Equal(v.Lost, c.lost) || len(v.Remaining) != c.left || v.Went != c.went || v.Resources[0].Result != c.result {
			t.Errorf("%s: lost %q, %d left, went %t, %s; want %q, %d, %t, %s", name, v.Lost, len(v.Remaining), v.Went, v.Resources[0].Result, c.lost, c.left, c.went, c.result)
		}
		if want := int64(7 * len(c.lost)); v.LostBytes != want {
			t.Errorf("%s: %d bytes lost, want %d", name, v.LostBytes, want)
		}
		if (c.result == Unknown) != (len(v.Unsure) > 0) {
			t.Errorf("%s: unsure %q", name, v.Unsure)
		}
	}
}

// A volume that was to stay is lost when it goes with a teardown, and not with a
// prune, which names what it removes. That it may have been made again keeps no
// operation unfinished.
func TestClassifyOfWhatStays(t *testing.T) {
	kept := Resource{Kind: KindVolume, Name: "data", Fate: Kept, Created: created.Format(time.RFC3339)}
	inv := Inventory{Resources: []Resource{kept}}
	for onlyAsked, want := range map[bool]int{false: 1, true: 0} {
		if v := Classify(inv, Snapshot{}, After{OnlyAsked: onlyAsked}, nil); len(v.Lost) != want || v.Went != (want > 0) || len(v.Resources) != 1 {
			t.Errorf("only what was asked for %t: lost %q", onlyAsked, v.Lost)
		}
	}
	younger := Snapshot{Volumes: []Volume{{Name: "data", Created: created.Add(time.Hour)}}}
	if v := Classify(inv, Snapshot{}, After{Snapshot: younger, Unseen: true}, nil); len(v.Unsure) > 0 || v.Resources[0].Result != Unknown {
		t.Errorf("unsure %q, %s", v.Unsure, v.Resources[0].Result)
	}
}

// The birth of a volume's directory outweighs what the engine says.
func TestClassifyByBirth(t *testing.T) {
	r := Resource{Kind: KindVolume, Name: "data", Asked: true, Created: created.Format(time.RFC3339), Born: created.Format(time.RFC3339Nano)}
	for born, want := range map[time.Time]Result{created: Remained, created.Add(time.Millisecond): Remade} {
		after := After{Snapshot: Snapshot{Volumes: []Volume{{Name: "data", Created: created.Add(time.Hour), Born: born}}}, Unseen: true}
		if v := Classify(Inventory{Engine: Engine{StableCreated: true}, Resources: []Resource{r}}, Snapshot{}, after, nil); v.Resources[0].Result != want {
			t.Errorf("born %s: %s", born, v.Resources[0].Result)
		}
	}
}

// A look in the moment in which a volume is made shows it without labels. It is
// lost all the same when it goes.
func TestUnforeseenWithoutLabels(t *testing.T) {
	labels := Model{Project: "shop", Mode: Labels}
	known := Snapshot{Volumes: []Volume{{Name: "shop_data"}}}
	seen := Seen{Volumes: []Volume{{Name: "shop_data", Labels: map[string]string{LabelProject: "shop", LabelVolume: "data"}}}}
	asks := func(s Snapshot) Inventory { return Plan(labels, s, Options{Volumes: true}) }
	for there, want := range map[bool]int{false: 1, true: 0} {
		after := After{Seen: seen}
		if there {
			after.Snapshot = Snapshot{Volumes: seen.Volumes}
		}
		if v := Classify(asks(known), known, after, asks); len(v.Lost) != want {
			t.Errorf("there %t: lost %q", there, v.Lost)
		}
	}
}

// What another record tells of is not told again.
func TestToldElsewhere(t *testing.T) {
	inv := Inventory{Resources: []Resource{{Kind: KindVolume, Name: "data", Asked: true, Fate: Removed}, {Kind: KindVolume, Name: "more", Asked: true, Fate: Removed}}}
	v := Classify(inv, Snapshot{}, After{Unseen: true, Told: map[string]string{"data": "01X"}}, nil)
	if !slices.Equal(v.Lost, []string{"more"}) || v.Resources[0].Asked || v.Resources[0].Reason != "destroyed by operation 01X" {
		t.Errorf("lost %q; %+v", v.Lost, v.Resources[0])
	}
}

// What others destroy of the project meanwhile is told and not counted; what does
// not concern it is not told.
func TestBystanders(t *testing.T) {
	ours := map[string]string{LabelProject: "shop"}
	known := Snapshot{
		Volumes:    []Volume{{Name: "stranger"}, {Name: "labelled", Labels: ours}, {Name: "used"}, {Name: "still", Labels: ours}},
		Containers: []Container{{Labels: ours, Mounts: []Mount{{Volume: "used"}}}, {Mounts: []Mount{{Volume: "stranger"}}}},
	}
	after := After{Snapshot: Snapshot{Volumes: []Volume{{Name: "still"}}}, Seen: Seen{Destroyed: []string{"stranger", "labelled", "used", "still", "newcomer"}}}
	if v := Classify(Inventory{Project: "shop"}, known, after, nil); !slices.Equal(v.Unforeseen, []string{"labelled", "used"}) || len(v.Lost) != 0 {
		t.Errorf("%q", v.Unforeseen)
	}
}

// A volume that came after the look, that the command asks for, and that is gone,
// is lost: declared, labelled in labels mode, or anonymous of a container of ours.
func TestUnforeseen(t *testing.T) {
	files := Model{Project: "shop", Mode: Files, Services: map[string]Service{"db": {Going: true}}, Volumes: []Declared{{Key: "data", Name: "shop_data"}}}
	labels := Model{Project: "shop", Mode: Labels}
	ours := map[string]string{LabelProject: "shop", LabelVolume: "other"}
	hex := "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	container := Container{ID: "c9", Labels: map[string]string{LabelProject: "shop", labelService: "db", labelConfigHash: "x"}, Mounts: []Mount{{Volume: hex}}}
	for name, c := range map[string]struct {
		model Model
		seen  Seen
		now   []Volume
		want  []string
	}{
		"declared":                      {files, Seen{Volumes: []Volume{{Name: "shop_data"}}}, nil, []string{"shop_data"}},
		"declared, and still there":     {files, Seen{Volumes: []Volume{{Name: "shop_data"}}}, []Volume{{Name: "shop_data"}}, nil},
		"labelled, in files mode":       {files, Seen{Volumes: []Volume{{Name: "x", Labels: ours}}}, nil, nil},
		"labelled, in labels mode":      {labels, Seen{Volumes: []Volume{{Name: "x", Labels: ours}}}, nil, []string{"x"}},
		"twice":                         {files, Seen{Volumes: []Volume{{Name: "shop_data"}, {Name: "shop_data"}}, Destroyed: []string{"shop_data", "shop_data"}}, nil, []string{"shop_data"}},
		"and made again":                {files, Seen{Volumes: []Volume{{Name: "shop_data"}, {Name: "shop_data"}}, Destroyed: []string{"shop_data"}, Passing: []string{"shop_data"}}, []Volume{{Name: "shop_data"}}, []string{"shop_data"}},
		"one went before the look":      {files, Seen{Volumes: []Volume{{Name: "shop_data"}}, Destroyed: []string{"shop_data"}}, []Volume{{Name: "shop_data"}}, nil},
		"somebody else's":               {labels, Seen{Volumes: []Volume{{Name: "y"}}}, nil, nil},
		"anonymous, of our container":   {files, Seen{Volumes: []Volume{{Name: hex}}, Containers: []Container{container}}, nil, []string{hex}},
		"anonymous, of nobody's anyway": {files, Seen{Volumes: []Volume{{Name: hex}}}, nil, nil},
	} {
		o := Options{Volumes: true}
		v := Classify(Plan(c.model, Snapshot{}, o), Snapshot{}, After{Snapshot: Snapshot{Volumes: c.now}, Seen: c.seen}, func(s Snapshot) Inventory { return Plan(c.model, s, o) })
		if !slices.Equal(v.Lost, c.want) || v.Went != (len(c.want) > 0) {
			t.Errorf("%s: lost %q, want %q", name, v.Lost, c.want)
		}
		for _, r := range v.Resources {
			if r.Kind == KindVolume && !r.Unforeseen {
				t.Errorf("%s: %s is not marked", name, r)
			}
		}
	}
}

func TestChanges(t *testing.T) {
	r := func(name, born string) Resource {
		return Resource{Kind: KindVolume, Name: name, Born: born, Asked: true, Fate: Removed}
	}
	held := Resource{Kind: KindVolume, Name: "a", Born: "1", Asked: true, Fate: Kept}
	guarded := r("a", "1")
	guarded.Protected = true
	for name, c := range map[string]struct {
		first, second []Resource
		want          string
	}{
		"the same":          {[]Resource{r("a", "1")}, []Resource{r("a", "1")}, ""},
		"less":              {[]Resource{r("a", "1"), r("b", "1")}, []Resource{r("a", "1")}, ""},
		"held now":          {[]Resource{r("a", "1")}, []Resource{held}, ""},
		"new":               {[]Resource{r("a", "1")}, []Resource{r("a", "1"), r("b", "1")}, "volume b is new"},
		"made again":        {[]Resource{r("a", "1")}, []Resource{r("a", "2")}, "volume a was made again"},
		"made again, told":  {[]Resource{r("a", "")}, []Resource{r("a", "")}, "volume a was made again"},
		"protected":         {[]Resource{r("a", "1")}, []Resource{guarded}, "volume a is protected now"},
		"let go of":         {[]Resource{held}, []Resource{r("a", "1")}, "volume a would go now"},
		"another container": {[]Resource{{Kind: KindContainer, Name: "c", ID: "1", Asked: true}}, []Resource{{Kind: KindContainer, Name: "c", ID: "2", Asked: true}}, "container c is new"},
	} {
		got, second := "", Inventory{Resources: c.second}
		if name == "made again, told" {
			second.Since = &Seen{Destroyed: []string{"a"}}
		}
		for _, change := range Changes(Inventory{Resources: c.first}, second) {
			got += change.String()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
