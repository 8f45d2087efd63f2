package trash

import (
	"context"
	"errors"
	"os"
)

// part is a part of the life of volumes. What an engine does in it is not durable
// when it is over.
type part func(*volumes) error

// The lives of volumes that were set aside, and where the data is in the end.
var (
	lives = map[string][]part{
		"survives": {(*volumes).setAside, (*volumes).putBack},
		"undone":   {(*volumes).setAside, (*volumes).engineRemoves, (*volumes).engineMakes, (*volumes).swapBack},
		"purged":   {(*volumes).setAside, (*volumes).engineRemoves, (*volumes).purge},
	}
	lifesEnd = map[string]Where{"survives": InVolume, "undone": InVolume, "purged": Nowhere}
)

func (v *volumes) setAside() error {
	return v.do(Request{Action: DoSetAside, Entries: entries(v.names...)})
}

func (v *volumes) putBack() error {
	return v.do(Request{Action: DoPutBack, Items: v.items(false)})
}

func (v *volumes) swapBack() error {
	return v.do(Request{Action: DoPutBack, Items: v.items(true)})
}

func (v *volumes) purge() error {
	return v.do(Request{Action: DoPurge, Items: v.items(true)})
}

// do performs a request. What failed about an item is an error, too.
func (v *volumes) do(r Request) error {
	p := v.disk.place()
	p.TestOnlyAt = v.step
	out, err := p.Do(context.Background(), r)
	for _, f := range out.Found {
		if f.Error != "" {
			err = errors.Join(err, errors.New(f.Volume+": "+f.Error))
		}
	}
	return err
}

// engineRemoves removes volumes whose data is elsewhere, as an engine does.
func (v *volumes) engineRemoves() (err error) {
	for _, name := range v.names {
		err = errors.Join(err, os.RemoveAll(v.disk.place().volume(name)))
	}
	return err
}

// engineMakes makes volumes, as an engine does.
func (v *volumes) engineMakes() (err error) {
	for _, name := range v.names {
		err = errors.Join(err, os.MkdirAll(v.data(name), 0o755))
	}
	return err
}
