package supervisor

import (
	"heimdall/core"
	"heimdall/core/config"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/shard"
	"heimdall/shard/settings"
	"heimdall/shard/worker"
)

// update is what one shard takes over of a configuration. It is made beforehand where it can be: its tables take time.
type update struct {
	config  *config.Config
	rules   core.Rules
	anchors *dnssec.Anchors
	changed []dname.Name // zones whose anchors are others than the shard's
}

// newUpdate makes an update for one shard out of what is in force.
func (s *Supervisor) newUpdate(changed ...dname.Name) *update {
	c := s.config()
	return &update{config: c, rules: settings.Rules(c, s.hot != nil), anchors: s.anchors.Set(), changed: changed}
}

// bring brings a shard up to date: at its start, when it is started again, and at each reload. It
// runs on the shard's thread.
func (s *Supervisor) bring(w *worker.Worker, sh *shard.Shard, u *update) {
	e, c := sh.Engine(), u.config
	r := u.rules
	r.KeepAlive = e.KeepAlive // the shard's own: what its TCP server tells
	r.Limiter.TakeOver(e.Limiter)
	e.SetRules(r)
	e.SetGroups(settings.Groups(c))
	e.SetZones(s.zones.Set(w.Seat().Node))
	e.Answers().SetLimits(settings.Answers(c, nil))
	e.Resolver().SetUDPSize(uint16(c.Server.UDPPayload))
	sh.SetShedAfter(c.IO.ShedAfter)
	sh.SetTap(s.tap.Ring(w.ID()))
	e.SetAnchors(u.anchors, u.changed)
}

// freshen brings a shard that begins to serve up to what has changed since its Engine was made. It runs on the shard's
// thread. u is what the Engine was made with.
func (s *Supervisor) freshen(w *worker.Worker, sh *shard.Shard, u *update) {
	if u == nil || u.config != s.config() {
		u = s.newUpdate()
	}
	u.anchors = s.anchors.Set()
	s.bring(w, sh, u)
	if err := s.settle(w, sh); err != nil {
		s.log.Error("a shard does not get its seat", "shard", w.ID(), "error", err)
	}
	w.Take(sh)
}

// settle brings a shard to its seat. It runs on the shard's thread.
func (s *Supervisor) settle(w *worker.Worker, sh *shard.Shard) error {
	return w.Settle(sh, func(mem, before []byte) (kept bool, err error) {
		left, err := giveMemory(sh.Engine(), mem, s.config())
		if err != nil {
			return false, err
		}
		return s.moves(w, left, before), nil
	})
}
