package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gongji/shared/store"
)

// item is a record as it lies in the table. Its six attributes are written and read
// here by hand: the SDK's mapping by reflection brings the types of DynamoDB's streams
// with it, and every start of a function pays for them.
type item struct {
	key     store.Key
	version uint64
	body    []byte
	packed1 []byte // in place of body; see encode
	expires int64  // Unix seconds; 0 is never
}

func keyAttributes(k store.Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"part": &types.AttributeValueMemberS{Value: k.Part},
		"sort": &types.AttributeValueMemberS{Value: k.Sort},
	}
}

func (i *item) attributes() map[string]types.AttributeValue {
	attributes := keyAttributes(i.key)
	attributes["v"] = &types.AttributeValueMemberN{Value: strconv.FormatUint(i.version, 10)}
	if i.packed1 != nil {
		attributes["packed1"] = &types.AttributeValueMemberB{Value: i.packed1}
	} else {
		attributes["body"] = &types.AttributeValueMemberB{Value: i.body}
	}
	if i.expires != 0 {
		attributes["expires"] = &types.AttributeValueMemberN{Value: strconv.FormatInt(i.expires, 10)}
	}
	return attributes
}

// recordOf returns the record of an item's attributes. Others than ours are left
// alone; ours, of another kind than ours, are a table that is not the house's.
func recordOf(attributes map[string]types.AttributeValue) (store.Record, error) {
	var i item
	var strange error
	for name, value := range attributes {
		var err error
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			switch name {
			case "part":
				i.key.Part = v.Value
			case "sort":
				i.key.Sort = v.Value
			}
		case *types.AttributeValueMemberN:
			switch name {
			case "v":
				i.version, err = strconv.ParseUint(v.Value, 10, 64)
			case "expires":
				i.expires, err = strconv.ParseInt(v.Value, 10, 64)
			}
		case *types.AttributeValueMemberB:
			switch name {
			case "body":
				i.body = v.Value
			case "packed1":
				i.packed1 = v.Value
			}
		}
		if err != nil {
			strange = fmt.Errorf("the attribute %s is no number of ours: %w", name, err)
		}
	}
	if strange != nil {
		return store.Record{}, strange
	}
	if i.version == 0 {
		return store.Record{}, fmt.Errorf("the item under %v has no version: it is not a record", i.key)
	}
	body, err := i.unpacked()
	if err != nil {
		return store.Record{}, err
	}
	r := store.Record{Key: i.key, Version: i.version, Body: body}
	if i.expires != 0 {
		r.Expires = time.Unix(i.expires, 0).UTC()
	}
	return r, nil
}
