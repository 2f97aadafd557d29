package main

// What a stand-in says, in the words of Juju 3.6.

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
)

type model struct {
	UUID  string `json:"uuid"`
	Name  string `json:"name"`
	Owner string `json:"owner"` // a full identity, as alice@jimm
}

type request struct {
	ID     int64           `json:"request-id"`
	Type   string          `json:"type"`
	Params json.RawMessage `json:"params"`
	// The method; Juju calls it the request.
	Request string `json:"request"`
}

type entity struct {
	Tag string `json:"tag"`
}

type controller struct {
	UUID string `json:"uuid"`
	Name string `json:"name"`

	fleet  *fleet
	port   int
	counts *counter

	lock      sync.Mutex
	order     []string
	models    map[string]model
	summaries json.RawMessage // all of them, until something changes
}

type object = map[string]any

const since = "2026-01-02T03:04:05Z"

func (c *controller) begin(of *fleet, port int, counts *counter) {
	c.fleet, c.port, c.counts = of, port, counts
	c.models = map[string]model{}
}

func (c *controller) put(models []model) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, each := range models {
		if _, known := c.models[each.UUID]; !known {
			c.order = append(c.order, each.UUID)
		}
		c.models[each.UUID] = each
	}
	c.summaries = nil
}

func (c *controller) call(name string, params json.RawMessage, of string) (any, error) {
	switch name {
	case "Admin.Login":
		return c.login(params, of)
	case "Pinger.Ping":
		return object{}, nil
	case "Controller.ControllerVersion":
		return object{"version": c.fleet.Version, "git-commit": "0"}, nil
	case "Controller.ControllerConfig":
		return object{"config": object{"controller-uuid": c.UUID}}, nil
	case "Controller.AllModels":
		return c.userModels(""), nil
	case "Cloud.Clouds":
		return object{"clouds": object{"cloud-" + c.fleet.Cloud: c.cloud()}}, nil
	case "ModelManager.ListModels":
		var who entity
		if err := json.Unmarshal(params, &who); err != nil {
			return nil, err
		}
		return c.userModels(who.Tag), nil
	case "ModelManager.ListModelSummaries":
		return object{"results": c.allSummaries()}, nil
	case "ModelManager.ModelInfo":
		return c.infos(params)
	case "ModelManager.CreateModel":
		return c.create(params)
	case "ModelManager.ModelDefaultsForClouds":
		return object{"results": []object{{"config": object{}}}}, nil
	}
	return nil, fmt.Errorf("the stand-in does not know %s", name)
}

func (c *controller) login(params json.RawMessage, of string) (any, error) {
	var asked struct {
		AuthTag string `json:"auth-tag"`
	}
	if err := json.Unmarshal(params, &asked); err != nil {
		return nil, err
	}
	who := object{
		"display-name": "", "identity": asked.AuthTag, "last-connection": since,
		"controller-access": "superuser", "model-access": "",
	}
	address := object{
		"value": "127.0.0.1", "type": "ipv4", "scope": "public", "port": c.port,
	}
	result := object{
		"servers":        [][]object{{address}},
		"controller-tag": "controller-" + c.UUID,
		"user-info":      who,
		"facades":        c.fleet.FacadesOfTheRest,
		"server-version": c.fleet.Version,
	}
	if of != "" {
		who["model-access"] = "admin"
		result["model-tag"] = "model-" + of
		result["facades"] = c.fleet.FacadesOfModels
	}
	return result, nil
}

func (c *controller) cloud() object {
	return object{
		"type": "openstack", "auth-types": []string{"empty"}, "is-controller-cloud": true,
		"regions": []object{{"name": c.fleet.Region}},
	}
}

func (c *controller) userModels(tag string) object {
	c.lock.Lock()
	defer c.lock.Unlock()
	rows := []object{}
	for _, uuid := range c.order {
		each := c.models[uuid]
		if tag != "" && tag != "user-"+each.Owner {
			continue
		}
		rows = append(rows, object{
			"model": object{
				"name": each.Name, "uuid": each.UUID, "type": "iaas", "owner-tag": "user-" + each.Owner,
			},
			"last-connection": nil,
		})
	}
	return object{"user-models": rows}
}

func (c *controller) allSummaries() json.RawMessage {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.summaries == nil {
		rows := []object{}
		for _, uuid := range c.order {
			row := c.told(c.models[uuid])
			row["user-access"] = "admin"
			row["last-connection"] = nil
			row["counts"] = []object{
				{"entity": "machines", "count": 2},
				{"entity": "cores", "count": 8},
				{"entity": "units", "count": 3},
			}
			rows = append(rows, object{"result": row})
		}
		c.summaries = encoded(rows)
	}
	return c.summaries
}

func (c *controller) infos(params json.RawMessage) (any, error) {
	var asked struct {
		Entities []entity `json:"entities"`
	}
	if err := json.Unmarshal(params, &asked); err != nil {
		return nil, err
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	rows := []object{}
	for _, each := range asked.Entities {
		found, known := c.models[each.Tag[min(len(each.Tag), len("model-")):]]
		if known {
			rows = append(rows, object{"result": c.info(found)})
			continue
		}
		rows = append(rows, object{"error": object{"message": "model not found", "code": "not found"}})
	}
	return object{"results": rows}, nil
}

func (c *controller) info(of model) object {
	row := c.told(of)
	row["users"] = []object{{
		"model-tag": "model-" + of.UUID, "user": of.Owner, "display-name": "",
		"last-connection": nil, "access": "admin",
	}}
	machines := []object{}
	for number := 0; number < 2; number++ {
		machines = append(machines, object{
			"id": fmt.Sprint(number), "instance-id": fmt.Sprintf("i-%d", number),
			"hardware": object{"arch": "amd64", "mem": 8192, "cores": 4}, "status": "started",
		})
	}
	row["machines"] = machines
	row["secret-backends"] = []object{}
	row["cloud-credential-validity"] = nil
	return row
}

// What a summary and an info have in common.
func (c *controller) told(of model) object {
	return object{
		"name": of.Name, "uuid": of.UUID, "type": "iaas", "controller-uuid": c.UUID,
		"is-controller": false, "provider-type": "openstack", "cloud-tag": "cloud-" + c.fleet.Cloud,
		"cloud-region": c.fleet.Region, "owner-tag": "user-" + of.Owner, "life": "alive",
		"status":        object{"status": "available", "info": "", "since": since},
		"sla":           object{"level": "unsupported", "owner": ""},
		"agent-version": c.fleet.Version,
	}
}

func (c *controller) create(params json.RawMessage) (any, error) {
	var asked struct {
		Name  string `json:"name"`
		Owner string `json:"owner-tag"`
	}
	if err := json.Unmarshal(params, &asked); err != nil {
		return nil, err
	}
	made := model{UUID: newUUID(), Name: asked.Name, Owner: asked.Owner[min(len(asked.Owner), len("user-")):]}
	c.put([]model{made})
	return c.info(made), nil
}

func newUUID() string {
	var raw [16]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic(err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
