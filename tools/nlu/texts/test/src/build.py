import re,json,collections
from datetime import datetime,timedelta,date
REF=dict(A="2026-11-24T10:00",B="2026-11-25T15:30",C="2026-11-27T09:15",D="2026-11-28T11:20",E="2026-11-29T20:40",F="2026-11-30T16:05",G="2026-12-31T17:45",H="2027-01-01T08:30",I="2027-02-26T14:10",J="2027-02-28T19:00",K="2026-12-10T07:50",L="2026-09-30T21:15",M="2027-03-01T09:00",N="2027-04-15T13:30",O="2026-10-31T10:30",P="2026-12-28T18:20",Q="2026-06-17T08:05",R="2026-08-31T22:10")
T=dict(t="time",d="duration",ph="phone",m="money",id="id_number",c="bank_card",o="order_number",p="person",a="address",q="quantity",e="email",pl="plate")
out=[];seen=set();err=[]
for fn,lang in [("zh1","zh"),("zh2","zh"),("zh3","zh"),("zhn","zh"),("en","en"),("enn","en")]:
    for ln in open(fn+".txt"):
        ln=ln.strip()
        if not ln: continue
        r,s=ln[0],ln[2:].strip(); assert ln[1]==" ",ln
        text="";ents=[];pos=0
        for m in re.finditer(r"\[(\w+)=([^|\]]*)\|([^\]]*)\]",s):
            text+=s[pos:m.start()]; ents.append(dict(type=T[m[1]],start=len(text),end=len(text)+len(m[3]),value=m[2])); text+=m[3]; pos=m.end()
        text+=s[pos:]
        if re.search(r"[\[\]|=]",text): err.append(("MARK",text))
        if (text,r) in seen: err.append(("DUP",text))
        seen.add((text,r))
        out.append(dict(lang=lang,text=text,ref_time=REF[r]+":00",tz="+08:00",entities=ents))
with open("../entities.jsonl","w") as f:
    for o in out: f.write(json.dumps(o,ensure_ascii=False)+"\n")
# verify from file
def luhn(c): return sum((lambda d:d if i%2==0 else (d*2-9 if d>4 else d*2))(int(x)) for i,x in enumerate(reversed(c)))%10==0
W=[7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2]
idok=lambda c:len(c)==18 and c[:17].isdigit() and c[-1]=="10X98765432"[sum(int(a)*w for a,w in zip(c,W))%11]
ZD=dict(zip("零幺二三四五六七八九一","01234567891"))
ED=dict(zip("oh zero one two three four five six seven eight nine".split(),"00123456789"))
def spoken(s,lang):
    if lang=="zh":
        s=re.sub("嗯|呃|那个","",s); return "".join(ZD.get(c,c) for c in s if c!=" ").upper()
    o="";rep=1
    for w in s.split():
        if w in("um","uh"):continue
        if w in("double","triple"): rep=2 if w=="double" else 3; continue
        o+=ED.get(w,w.upper())*rep; rep=1
    return o
ZW=dict(zip("一二三四五六日天",[0,1,2,3,4,5,6,6])); EW={w:i for i,w in enumerate("monday tuesday wednesday thursday friday saturday sunday".split())}
L=[json.loads(x) for x in open("../entities.jsonl")]
cnt=collections.Counter();neg=collections.Counter();utt=collections.Counter();wd=0
import calendar
for o in L:
    lang=o["lang"];utt[lang]+=1
    if not o["entities"]: neg[lang]+=1
    ref=datetime.fromisoformat(o["ref_time"]);last=0
    for e in o["entities"]:
        cnt[lang,e["type"]]+=1
        s=o["text"][e["start"]:e["end"]];v=e["value"];t=e["type"];E=lambda why:err.append((why,o["text"],s,v))
        if not s or s!=s.strip() or e["start"]<last: E("SPAN")
        last=e["end"]
        if t=="bank_card" and not luhn(v): E("LUHN")
        if t=="id_number" and not idok(v): E("ID")
        if t in("bank_card","id_number","plate","order_number"):
            if re.sub("[- ]","",spoken(s,lang))!=v: E("SPOKEN "+spoken(s,lang))
        if t=="phone":
            a=re.split("转|分机|extension",s); n=re.sub(r"\D","",v.split(";")[0])
            k=re.sub(r"\D","",spoken(a[0].replace("hundred","oh oh").replace("加",""),lang))
            nn=n
            okk = k==n or k==n[2:] or k=="0"+n[2:] or (lang=="en" and (k==n[1:]))
            if not okk: E("PHONE "+k)
            if len(a)>1 and spoken(a[1],lang).strip()!=v.split("ext=")[1]: E("EXT")
            if ";ext" in v and len(a)<2: E("EXT2")
        if t=="person" and s!=v: E("P")
        if t=="address" and re.sub(" ?(嗯|呃|um) ?"," " if lang=="en" else "",s)!=v: E("ADDR")
        if t=="money" and not re.fullmatch(r"[A-Z]{3} \d+\.\d\d(\.\.\d+\.\d\d)?",v): E("M")
        if t=="quantity" and not re.fullmatch(r"[\d.]+ \S+",v): E("Q")
        if t=="time":
            parts=v.split("/")
            for p in parts:
                if not re.fullmatch(r"\d{4}-\d\d(-\d\d(T\d\d:\d\d)?)?",p): E("FMT")
            if len(parts[0])>=10:
                D=[date.fromisoformat(p[:10]) for p in parts]
                [datetime.fromisoformat(p) for p in parts]
                d0=ref.date();mon=d0-timedelta(d0.weekday());exp=None
                m=re.search(r"(这个?|下个?)?(?:周|星期|礼拜)([一二三四五六日天])",s)
                rel=[("day after tomorrow",2),("大后天",3),("后天",2),("明天|明早|tomorrow",1),("今天|今晚",0)]
                if m: pre,w=(m[1] or ""),ZW[m[2]]
                else:
                    m=re.search(r"(this |next )?(\w+day)\b",s)
                    if m and m[2] in EW: pre,w={"this ":"这","next ":"下",None:""}[m[1]],EW[m[2]]
                    else: m=None
                if m:
                    wd+=1
                    if pre[:1]=="这": exp=mon+timedelta(w)
                    elif pre[:1]=="下": exp=mon+timedelta(7+w)
                    else:
                        exp=d0+timedelta((w-d0.weekday())%7)
                        if exp==d0 and "T" in parts[0] and datetime.fromisoformat(parts[-1])<= ref or (exp==d0 and "T" in parts[0] and D[0]!=d0 and datetime.combine(d0,datetime.fromisoformat(parts[0]).time())<=ref): exp=d0+timedelta(7)
                    if D[0]!=exp: E("WD %s"%exp)
                elif re.search("周末|weekend",s):
                    exp=mon+timedelta(5+(7 if re.search("下|next",s) else 0))
                    if D!=[exp,exp+timedelta(1)]: E("WE")
                elif re.search("月底|end of the month",s):
                    y,mo=d0.year,d0.month
                    if "下" in s: mo+=1
                    if mo>12:y,mo=y+1,1
                    if D[0]!=date(y,mo,calendar.monthrange(y,mo)[1]): E("ME")
                else:
                    for rx,n in rel:
                        if re.search(rx,s):
                            if D[0]!=d0+timedelta(n): E("REL")
                            break
                    else:
                        if re.search("月|号|december|january|february|third",s): 
                            if D[0]<d0: E("PASTDATE")
                        elif not re.search("后|in ",s) and D[0]!=d0: E("BARE")
                if not re.search("月|号|december|january|february",s) :
                    for p in parts:
                        if "T" in p:
                            h=int(p[11:13])
                            if re.search("下午|晚上|今晚|傍晚|pm|afternoon|evening",s) and h<12 and not re.search(" from |[上早].*下",s): E("HOUR")
                            if re.search("上午|早上|明早| am",s) and h>12: E("HOUR2")
            elif re.search("下个月|next month",s):
                y,mo=ref.year,ref.month+1
                if mo>12:y,mo=y+1,1
                if v!="%d-%02d"%(y,mo): E("NM")
for e in err: print(e)
ty=list(T.values())
for l in("zh","en"): print(l,"utt",utt[l],"empty",neg[l],"ents",sum(cnt[l,t] for t in ty),{t:cnt[l,t] for t in ty})
print("weekday checks",wd)
