package api

import (
	"context"
	"net/http"

	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// checkpointRoutes are for those who keep the signed days outside the house.
func (d *door) checkpointRoutes() {
	tags := []string{"operators"}
	type CheckpointPath struct {
		Day string `path:"day"`
	}
	type checkpointAnswer struct {
		Body struct {
			Day  string `json:"day"`
			Note string `json:"note" doc:"A signed note (golang.org/x/mod/sumdb/note) with the root over the heads of all accounts that moved"`
		}
	}
	route(d, Auditors, huma.Operation{
		OperationID: "checkpoint", Method: http.MethodGet, Path: "/v1/checkpoints/{day}", Tags: tags,
		Summary: "How far the chains of the accounts had come at the end of a day, signed",
	},
		func(ctx context.Context, in *CheckpointPath) (*checkpointAnswer, error) {
			day, err := family.ParseDay(in.Day)
			if err != nil {
				return nil, family.Faulty("day", err)
			}
			var out checkpointAnswer
			out.Body.Day = day.String()
			out.Body.Note, err = d.app.Checkpoint(ctx, day)
			if err != nil {
				return nil, err
			}
			return &out, nil
		})

	type headsQuery struct {
		CheckpointPath
		After string `query:"after" maxLength:"12" doc:"next_after of the page before"`
	}
	type headWire struct {
		PersonNo string `json:"person_no"`
		Seq      uint64 `json:"seq"`
		Hash     string `json:"hash" doc:"Of the entry, which speaks for all before it; empty where it is not there or damaged"`
	}
	type headsAnswer struct{ Body Page[headWire] }
	route(d, Auditors, huma.Operation{
		OperationID: "heads", Method: http.MethodGet, Path: "/v1/checkpoints/{day}/heads", Tags: tags,
		Summary: "The entries that the day's settlements made, as they are now: to be kept, and to be held against a signed day",
	},
		func(ctx context.Context, in *headsQuery) (*headsAnswer, error) {
			day, err := family.ParseDay(in.Day)
			if err != nil {
				return nil, family.Faulty("day", err)
			}
			if in.After != "" {
				if _, err := family.ParseInstitutionCode(in.After); err != nil {
					return nil, notACursor
				}
			}
			heads, next, err := d.app.HeadsOf(ctx, day, in.After)
			if err != nil {
				return nil, err
			}
			out := headsAnswer{Page[headWire]{Items: make([]headWire, len(heads)), NextAfter: next}}
			for i, h := range heads {
				out.Body.Items[i] = headWire{string(h.Account), h.Seq, string(h.Hash)}
			}
			return &out, nil
		})
}
