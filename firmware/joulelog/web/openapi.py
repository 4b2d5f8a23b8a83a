"""The API's contract in OpenAPI 3.1, as /api/openapi.json has it: docs/api.md is for people.

A text that stays in the flash, cut into pieces where it is sent.
"""

_PIECE = 512


def text(_service, _arguments):
    """Its pieces."""
    for start in range(0, len(_TEXT), _PIECE):
        yield _TEXT[start : start + _PIECE]


_TEXT = r"""{"openapi":"3.1.0",
"info":{"title":"JouleLog","version":"1","license":{"name":"MIT","identifier":"MIT"},
"description":"What a JouleLog board measures and counts. Reading is open in the network."},
"paths":{
"/api/latest":{"get":{"summary":"The newest reading of each source","responses":{
"200":{"description":"All sources","content":{"application/json":{"schema":{
"$ref":"#/components/schemas/Latest"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"503":{"$ref":"#/components/responses/Busy"}}}},
"/api/live":{"get":{"summary":"The newest reading of one source","parameters":[
{"name":"source","in":"query","description":"Its name; may be left out where there is one source",
"schema":{"type":"string","minLength":1}}],"responses":{
"200":{"description":"One source","content":{"application/json":{"schema":{
"$ref":"#/components/schemas/Live"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"503":{"$ref":"#/components/responses/Busy"}}}},
"/api/health":{"get":{"summary":"What the logger counts","responses":{
"200":{"description":"The counters of all parts","content":{"application/json":{"schema":{
"$ref":"#/components/schemas/Health"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"503":{"$ref":"#/components/responses/Busy"}}}},
"/api/log":{"get":{"summary":"The end of the log","parameters":[
{"name":"lines","in":"query","description":"How many",
"schema":{"type":"integer","minimum":1,"maximum":1000,"default":100}}],"responses":{
"200":{"description":"Lines of text","content":{"text/plain":{"schema":{"type":"string"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"404":{"description":"There is no log",
"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"503":{"$ref":"#/components/responses/Busy"}}}},
"/api/config":{"get":{"summary":"What counts, without secrets","responses":{
"200":{"description":"The sections; a secret that is set is true","content":{
"application/json":{"schema":{"$ref":"#/components/schemas/Config"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"503":{"$ref":"#/components/responses/Busy"}}}},
"/api/quarters":{"get":{"summary":"Quarter hours of local days; without dates today's",
"parameters":[{"$ref":"#/components/parameters/Source"},
{"$ref":"#/components/parameters/From"},
{"$ref":"#/components/parameters/To"},
{"$ref":"#/components/parameters/Format"}],"responses":{
"200":{"description":"Rows, the oldest first","content":{"application/json":{"schema":{
"$ref":"#/components/schemas/Quarters"}},"text/csv":{"schema":{"type":"string"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"404":{"$ref":"#/components/responses/NoHistory"},
"503":{"$ref":"#/components/responses/Busy"}}}},
"/api/days":{"get":{"summary":"Local days; without dates the last 31","parameters":[
{"$ref":"#/components/parameters/Source"},
{"$ref":"#/components/parameters/From"},
{"$ref":"#/components/parameters/To"},
{"$ref":"#/components/parameters/Format"}],"responses":{
"200":{"description":"Rows, the oldest first","content":{"application/json":{"schema":{
"$ref":"#/components/schemas/Days"}},"text/csv":{"schema":{"type":"string"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"404":{"$ref":"#/components/responses/NoHistory"},
"503":{"$ref":"#/components/responses/Busy"}}}},
"/api/months":{"get":{"summary":"Months, made of their days","parameters":[
{"$ref":"#/components/parameters/Source"},
{"$ref":"#/components/parameters/Format"}],"responses":{
"200":{"description":"Rows, the oldest first","content":{"application/json":{"schema":{
"$ref":"#/components/schemas/Months"}},"text/csv":{"schema":{"type":"string"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"404":{"$ref":"#/components/responses/NoHistory"},
"503":{"$ref":"#/components/responses/Busy"}}}},
"/metrics":{"get":{"summary":"The same for Prometheus","responses":{
"200":{"description":"Text format 0.0.4","content":{"text/plain":{"schema":{"type":"string"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"503":{"$ref":"#/components/responses/Busy"}}}},
"/api/openapi.json":{"get":{"summary":"This document","responses":{
"200":{"description":"OpenAPI 3.1","content":{"application/json":{"schema":{"type":"object"}}}},
"400":{"$ref":"#/components/responses/Wrong"},"503":{"$ref":"#/components/responses/Busy"}}}}},
"components":{
"parameters":{
"Source":{"name":"source","in":"query",
"description":"Its name; may be left out where there is one",
"schema":{"type":"string","minLength":1}},
"From":{"name":"from","in":"query","description":"The first local day",
"schema":{"type":"string","format":"date"}},
"To":{"name":"to","in":"query","description":"The last local day",
"schema":{"type":"string","format":"date"}},
"Format":{"name":"format","in":"query","schema":{"enum":["json","csv"],"default":"json"}}},
"responses":{
"NoHistory":{"description":"The config has no sink `history`, or it is opening",
"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"Wrong":{"description":"A parameter is wrong; the problem has its name and what is allowed",
"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"Busy":{"description":"Too many connections at a time: try again in a moment",
"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}},
"schemas":{
"Quarters":{"type":"object","required":["source","quarters"],"additionalProperties":false,
"properties":{"source":{"type":"string"},"quarters":{"type":"array","items":{"type":"object",
"required":["time","end"],"properties":{"time":{"type":"string"},"end":{"$ref":"#/components/schemas/Time"}},
"additionalProperties":{"type":["number","string","null"]}}}}},
"Days":{"type":"object","required":["source","days"],"additionalProperties":false,
"properties":{"source":{"type":"string"},"days":{"type":"array","items":{"type":"object",
"required":["date","end"],"properties":{"date":{"type":"string"},"end":{"$ref":"#/components/schemas/Time"}},
"additionalProperties":{"type":["number","string","null"]}}}}},
"Months":{"type":"object","required":["source","months"],"additionalProperties":false,
"properties":{"source":{"type":"string"},"months":{"type":"array","items":{"type":"object",
"required":["month","end"],"properties":{"month":{"type":"string"},"end":{"$ref":"#/components/schemas/Time"}},
"additionalProperties":{"type":["number","string","null"]}}}}},
"Problem":{"type":"object","required":["problem"],"additionalProperties":false,
"properties":{"problem":{"type":"string"}}},
"Time":{"description":"UTC; null: nobody knows it yet","type":["string","null"],
"pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"},
"Age":{"description":"Seconds since the reading came","type":["integer","null"],"minimum":0},
"Value":{"description":"A number with the digits of the meter; null: it gave none",
"type":["number","string","null"]},
"Kind":{"enum":["measurement","total","total_increasing","text","time","code","flag"]},
"Word":{"type":["string","null"]},
"Latest":{"type":"object","required":["device","time","sources"],"additionalProperties":false,
"properties":{"device":{"type":"string"},"time":{"$ref":"#/components/schemas/Time"},
"sources":{"type":"array","items":{"$ref":"#/components/schemas/Source"}}}},
"Source":{"type":"object","additionalProperties":false,
"required":["source","state","time","age","readings","identity","channels"],
"properties":{"source":{"type":"string"},"state":{"type":"string"},
"time":{"$ref":"#/components/schemas/Time"},"age":{"$ref":"#/components/schemas/Age"},
"readings":{"type":"integer","minimum":0},
"identity":{"type":"object","required":["device","type","maker","model","serial"],
"additionalProperties":{"$ref":"#/components/schemas/Word"}},
"channels":{"type":"array","items":{"type":"object","additionalProperties":false,
"required":["key","unit","kind","class","value"],
"properties":{"key":{"type":"string"},"unit":{"type":"string"},"class":{"type":"string"},
"kind":{"$ref":"#/components/schemas/Kind"},"value":{"$ref":"#/components/schemas/Value"}}}}}},
"Live":{"type":"object","required":["source","state","time","age","values"],
"additionalProperties":false,
"properties":{"source":{"type":"string"},"state":{"type":"string"},
"time":{"$ref":"#/components/schemas/Time"},"age":{"$ref":"#/components/schemas/Age"},
"values":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Value"}}}},
"Health":{"type":"object","required":["board","version","made","device","clock","time","uptime",
"longest_step","clock_steps","clock_drift","restarts","link_outages","heap_free","parts"],
"additionalProperties":{"type":["integer","null"]},
"properties":{"board":{"type":"string"},"version":{"type":"string"},"made":{"type":"string"},
"device":{"type":"string"},"clock":{"type":"string"},
"time":{"$ref":"#/components/schemas/Time"},
"parts":{"type":"array","items":{"type":"object","required":["part","name","counters"],
"additionalProperties":false,
"properties":{"part":{"enum":["reader","sink","service","flash","log"]},
"name":{"type":"string"},"state":{"type":"string"},
"waiting":{"type":"integer","minimum":0},"oldest":{"$ref":"#/components/schemas/Age"},
"counters":{"type":"object","additionalProperties":{"type":"integer"}}}}}}},
"Config":{"type":"object","required":["device","board","wifi","log","clock","queue","readers",
"sinks"]}}}}
"""
