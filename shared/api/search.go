package api

import (
	"context"
	"net/http"

	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// searchQuery is how something is searched.
type searchQuery struct {
	Typed string `query:"q" required:"true" minLength:"1" maxLength:"50" doc:"How its name, a part of it, the pinyin initials of either, or its code begins; or the code's last six characters"`
	Limit int    `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"How many at most"`
}

type itemWire struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	ListType string `json:"list_type" doc:"101 drugs … 201 services, 301 consumables"`
	Class    string `json:"class" enum:"A,B,C"`
}

type foundPlace struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Kind   string `json:"kind" enum:"hospital,pharmacy"`
	Region string `json:"region"`
	Status string `json:"status" enum:"designated,suspended"`
}

func statusOf(p family.Place) string {
	if p.Designated {
		return "designated"
	}
	return "suspended"
}

type found[T any] struct {
	Body struct {
		Items []T `json:"items" nullable:"false"`
	}
}

// foundOf writes what was found.
func foundOf[T, W any](things []T, wire func(T) W) *found[W] {
	out := new(found[W])
	out.Body.Items = make([]W, 0, len(things))
	for _, thing := range things {
		out.Body.Items = append(out.Body.Items, wire(thing))
	}
	return out
}

// searchRoutes find what somebody has to name by a code.
func (d *door) searchRoutes() {
	route(d, PersonOrPlace, huma.Operation{
		OperationID: "search-catalogue", Method: http.MethodGet, Path: "/v1/catalogue",
		Summary: "Catalogue items in force today, by a name or a part of it, pinyin initials or a code", Tags: []string{"institutions", "people"},
	},
		func(ctx context.Context, in *searchQuery) (*found[itemWire], error) {
			items, err := d.app.SearchItems(ctx, in.Typed, in.Limit)
			if err != nil {
				return nil, err
			}
			return foundOf(items, func(i family.Item) itemWire { return itemWire{i.Code, i.Name, i.ListType, string(i.Class)} }), nil
		})
	route(d, Finders, huma.Operation{
		OperationID: "search-institutions", Method: http.MethodGet, Path: "/v1/institutions",
		Summary:     "Designated institutions, by a name or a part of it, pinyin initials or a code",
		Description: "Operators and auditors find the suspended ones too.", Tags: []string{"institutions", "people", "operators"},
	},
		func(ctx context.Context, in *searchQuery) (*found[foundPlace], error) {
			places, err := d.app.SearchPlaces(ctx, in.Typed, in.Limit, callerOf(ctx).may(Auditors))
			if err != nil {
				return nil, err
			}
			return foundOf(places, func(p family.Place) foundPlace {
				return foundPlace{string(p.Code), p.Name, string(p.Kind), string(p.Region), statusOf(p)}
			}), nil
		})
}
