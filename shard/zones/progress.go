package zones

import "fmt"

// progress is how far the load of a zone is.
type progress struct {
	records int // read
	percent int // of the zone's own file, without those that it includes; -1: unknown
}

const (
	// progressEvery is after how many records a load tells how far it is, and looks whether it should end: a
	// few milliseconds.
	progressEvery = 4096
	// logEvery is after how many records the log is told; a multiple of progressEvery. Small zones are not.
	logEvery = progressEvery * 256
)

func (p progress) String() string {
	if p.percent < 0 || p.records == 0 {
		return fmt.Sprintf("%d records", p.records)
	}
	return fmt.Sprintf("%d %%, %d records", p.percent, p.records)
}
