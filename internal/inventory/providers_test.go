package inventory

import "testing"

// What a provider holds is in no inventory: it is in doubt when Compose failed, or
// when nobody saw Compose end and nothing shows that it got past the services.
func TestProvidersInDoubt(t *testing.T) {
	asked := func(kind Kind, name string) Resource {
		return Resource{Kind: kind, Name: name, ID: name, Asked: true, Fate: Removed}
	}
	web, net, data, anon := asked(KindContainer, "web"), asked(KindNetwork, "net"), asked(KindVolume, "data"), asked(KindVolume, "anon")
	anon.Anonymous = true
	withNet := Snapshot{Networks: []Network{{ID: "net"}}}
	for name, c := range map[string]struct {
		resources []Resource
		after     After
		want      int
	}{
		"Compose succeeded":            {[]Resource{web, net}, After{}, 0},
		"Compose failed":               {[]Resource{web, net}, After{ChildFailed: true}, 1},
		"unseen, the network is gone":  {[]Resource{web, net}, After{Unseen: true}, 0},
		"unseen, a volume is gone":     {[]Resource{web, net, data}, After{Unseen: true, Snapshot: withNet}, 0},
		"unseen, the network is there": {[]Resource{web, net, anon}, After{Unseen: true, Snapshot: withNet}, 1},
		"unseen, only a container":     {[]Resource{web, anon}, After{Unseen: true}, 1},
		"unseen, nothing was asked":    {nil, After{Unseen: true}, 1},
	} {
		v := Classify(Inventory{Resources: c.resources, Providers: []string{"cloud"}}, Snapshot{}, c.after, nil)
		if len(v.Providers) != c.want {
			t.Errorf("%s: %q", name, v.Providers)
		}
	}
}
