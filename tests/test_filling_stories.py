"""Whole fillings through `Assistant.handle` on a real database. Persons, units and figures are made up."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import pytest

from bot.desk import StoreDesk
from bot.forms.drafts import Submission
from bot.messages import Reply, Status
from bot.store import Store
from knowledge.loading import Pack
from knowledge.pack import Role, UnitType
from tests.filling_people import Person, asked_title, form_service
from tests.forms_samples import CENTRE, FORMS

COMMON = {
    "中心名称": "青岛市深海涂层技术创新中心", "牵头建设单位": "青岛某某科技有限公司", "统一社会信用代码": "91370200MA00000A1F",
    "主管部门": "崂山区", "获批批次": "2022年第1批", "技术领域": "海洋防腐新材料", "研究方向": "深海装备的长效防腐涂层",
    "已有其他平台": "无", "负责人姓名": "王建国", "负责人职务": "中心主任", "负责人办公电话": "85911337", "负责人手机": "138 0013 8000",
    "负责人邮箱": "WJG@Example.com", "联系人姓名": "李小娜", "联系人职务": "科研主管", "联系人办公电话": "跳过",
    "联系人手机": "13900139000", "联系人邮箱": "跳过", "近三年研发费用": "2023年600万 2024年700万 2025年800万",
    "近三年主营业务收入": "1.2亿，1.3亿，1.5亿", "各级配套资金": "300万", "自筹配套资金": "500万元", "承担科研任务": "国家重点研发计划某课题",
    "近三年高价值发明专利数量": "12件", "近三年软件著作权数量": "8", "制定国际、国家或行业标准数量": "3项",
    "新品种、新装置、新产品或一类新药证书数量": "没有", "科技奖励": "无", "固定研发人员": "36人",
    "本科及以上学历或中高级职称的研究人员": "28人", "国家、省、市级人才数量": "3", "科研用房面积": "1200平",
    "实验仪器设备原值总和": "1500万元", "是否建有中试基地或产业化基地": "是", "是否注册成立独立法人机构": "没有",
    "是否实行理事会制度": "是", "是否成立专家委员会": "有", "未来三年发展建设规划摘要": "三年内建成深海涂层中试线",
}  # fmt: skip


@pytest.fixture(scope="module")
def pack() -> Pack:
    from knowledge.loading import load_pack

    return load_pack("qingdao-tic-2026")


async def begun(person: Person, opening: str = "填表") -> Reply:
    reply = await person.says(opening)
    assert "同意" in reply.text and reply.status is Status.FORM
    return await person.presses("f:agree")


async def filled(person: Person, answers: dict[str, str], until: str | None = None) -> Reply:
    """Answer whatever is asked, in the person's words, until the review (or a field) is reached."""
    reply = person.replies[-1]
    for _ in range(80):
        title = asked_title(reply)
        if not title or title not in answers or title == until:
            return reply
        reply = await person.says(answers[title])
        assert asked_title(reply) != title, reply.text
    raise AssertionError("the form never ends")


async def submissions(store: Store, conversation: str = "c1") -> list[Submission]:
    return await StoreDesk(store).submissions(conversation)


def opened(reply: Reply) -> str:
    (file,) = reply.attachments
    document = docx.Document(io.BytesIO(file.content))
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


async def test_a_company_fills_the_form_and_hands_it_in(tmp_path: Path, pack: Pack) -> None:
    async with form_service(tmp_path, pack) as (store, assistant):
        person = Person(assistant)
        first = await begun(person)
        assert "不是正式申报" in first.text and "4月7日" in first.text and "qdstc.qingdao.gov.cn" in first.text
        assert first.progress and (first.progress.done, first.progress.total) == (0, 39)
        review = await filled(person, COMMON | {"单位类型": "企业"})
        assert "确认提交" in review.text and "13800138000" in review.text and "wjg" not in review.text
        assert review.progress and review.progress.done == review.progress.total
        assert not await submissions(store)
        done = await person.says("确认提交")
        (one,) = await submissions(store)
        assert one.receipt in done.text and one.revision == 1 and one.form_version == CENTRE.version
        assert "不是正式申报" in done.text
        text = opened(done)
        assert one.receipt in text and "13800138000" in text and "青岛市深海涂层技术创新中心" in text
        assert one.answers and one.answers["rd_spending"] == {"2023": 6_000_000, "2024": 7_000_000, "2025": 8_000_000}
        assert one.answers["contact_phone"] is None and "transfer_items" not in one.answers
        assert (one.department, one.unit_type, one.batch) == ("崂山区", "company", "2022-1")


async def test_a_university_is_asked_for_its_transfers_and_told_what_falls_short(tmp_path: Path, pack: Pack) -> None:
    own = {
        "单位类型": "我们是大学", "主管部门": "驻青单位", "驻青单位名称": "某某大学", "近三年主营业务收入": "跳过",
        "近三年同技术领域已推广转化的技术成果": "28项", "近一年同技术领域横向课题经费总额": "620万", "科技成果转化成功案例": "6例",
        "已有其他平台": "山东省某某重点实验室", "与其他平台领域和研究方向是否一致": "否", "固定研发人员": "25",
        "本科及以上学历或中高级职称的研究人员": "25",
    }  # fmt: skip
    async with form_service(tmp_path, pack) as (store, assistant):
        person = Person(assistant)
        await begun(person, "我要填基本信息表")
        review = await filled(person, COMMON | own)
        texts = "\n".join(r.text for r in person.replies)
        assert "还差2项" in texts and "附件1·三·3" in texts and "还差5人" in texts
        assert "还差5人" in review.text and "可以照实提交" in review.text
        await person.presses("f:confirm")
        (one,) = await submissions(store)
        assert one.answers and one.answers["transfer_items"] == 28 and one.answers["platforms_same"] is False
        assert one.department == "某某大学" and one.answers["revenue"] is None


async def test_a_hospital_pastes_a_paragraph_comes_back_another_day_and_corrects_itself(
    tmp_path: Path, pack: Pack
) -> None:
    async with form_service(tmp_path, pack) as (store, assistant):
        person = Person(assistant)
        await begun(person)
        reply = await person.says(
            "中心名称：青岛市某病种技术创新中心\n牵头单位：某某医院\n信用代码：91370200MA00000A1F\n单位类型：医院\n"
            "主管部门：市南区\n获批批次：2021年\n负责人：赵明，手机13800138001"
        )
        assert "核对" in reply.text and "某某医院" in reply.text and "13800138001" in reply.text
        draft = await store.forms.draft("c1")
        assert draft is None or not draft.answers
        reply = await person.says("获批批次应该是2022年第1批")
        assert "2022年第1批" in reply.text and "某某医院" in reply.text
        reply = await person.says("对")
        draft = await store.forms.draft("c1")
        assert draft and draft.answers["unit_type"] == "hospital" and draft.answers["batch"] == "2022-1"
        assert asked_title(reply) == "技术领域"
        await person.says("先到这里")
    async with form_service(tmp_path, pack) as (store, assistant):
        person = Person(assistant)
        reply = await person.says("继续填表")
        assert asked_title(reply) == "技术领域"
        review = await filled(person, COMMON | {"近三年主营业务收入": "跳过"})
        assert "确认提交" in review.text
        await person.says("提交")
        (one,) = await submissions(store)
        assert one.answers and one.answers["head_name"] == "赵明"


async def test_an_officer_gets_the_roster(tmp_path: Path, pack: Pack) -> None:
    async with form_service(tmp_path, pack) as (store, assistant):
        conversation = await store.load("c1", "test")
        conversation.profile.role = Role.OFFICER
        await store.conversations.save(conversation)
        person = Person(assistant)
        await person.says("填表")
        reply = await person.says("同意")
        assert "金宏网" in reply.text and "3月27日" in reply.text and asked_title(reply) == "主管部门"
        await person.presses("f:v:department:laoshan")
        reply = await filled(person, {"单位": "崂山区科技创新局", "姓名": "王芳", "职务": "科长",
                                      "办公电话": "0532-88996666", "手机": "13800138000"})  # fmt: skip
        await person.says("确认提交")
        (one,) = await submissions(store)
        assert one.form == "roster" and one.answers and one.answers["office_phone"] == "0532-88996666"


async def test_an_officer_unknown_as_such_can_press_a_button(tmp_path: Path, pack: Pack) -> None:
    async with form_service(tmp_path, pack) as (_, assistant):
        person = Person(assistant)
        await person.says("/form")
        await person.presses("c:form_roster")
        reply = await person.presses("f:agree")
        assert reply.progress and reply.progress.total == len(list(FORMS.current["roster"].fields()))


async def test_what_the_conversation_knows_is_offered_and_taken_only_when_confirmed(tmp_path: Path, pack: Pack) -> None:
    from bot.conversation import Figure

    async with form_service(tmp_path, pack) as (store, assistant):
        conversation = await store.load("c1", "test")
        profile = conversation.profile
        profile.unit_type, profile.said = (
            UnitType.UNIVERSITY,
            {"unit_type": "高校", "batch": "21年批的", "platform": "都没有"},
        )
        profile.conditions = {"batch": "2021", "upgraded": "no", "platform": "none"}
        profile.figures = {"staff_total": Figure(indicator="staff_total", value=32, said="32人")}
        await store.conversations.save(conversation)
        person = Person(assistant)
        await person.says("填表")
        reply = await person.says("同意")
        assert "属于本次评价对象" in reply.text
        assert all(w in reply.text for w in ("高校", "2021年", "32人", "“21年批的”", "已有其他平台：无"))
        assert await store.forms.draft("c1") is None
        reply = await person.says("都对")
        draft = await store.forms.draft("c1")
        assert draft and draft.answers == {
            "unit_type": "university", "batch": "2021", "platforms": [], "staff_total": 32,
        }  # fmt: skip
        assert asked_title(reply) == "中心名称"


async def test_known_things_that_were_refused_are_still_a_button_at_their_question(tmp_path: Path, pack: Pack) -> None:
    async with form_service(tmp_path, pack) as (store, assistant):
        conversation = await store.load("c1", "test")
        conversation.profile.unit_type, conversation.profile.said = UnitType.COMPANY, {"unit_type": "企业"}
        conversation.profile.conditions = {"batch": "2023", "upgraded": "no"}
        await store.conversations.save(conversation)
        person = Person(assistant)
        await person.says("填表")
        reply = await person.says("同意")
        assert "不在其中" in reply.text and "照样可以填" in reply.text
        reply = await person.presses("f:no")
        reply = await filled(person, COMMON, until="单位类型")
        await person.presses("f:use:unit_type")
        draft = await store.forms.draft("c1")
        assert draft and draft.answers["unit_type"] == "company"


async def test_handing_in_again_makes_a_new_revision_and_the_old_one_stays(tmp_path: Path, pack: Pack) -> None:
    async with form_service(tmp_path, pack) as (store, assistant):
        person = Person(assistant)
        await begun(person)
        await filled(person, COMMON | {"单位类型": "企业"})
        first = await person.says("确认提交")
        again = await person.says("提交")
        assert "已经提交过" in again.text and again.attachments
        await person.says("填表")
        reply = await person.presses("f:again")
        assert "接着上次填" in reply.text
        await person.says("固定研发人员改成40人")
        assert "原来是36人" in person.last
        await person.says("确认提交")
        (latest,) = await submissions(store)
        old = await store.forms.submission(latest.receipt, 1)
        assert latest.revision == 2 and latest.receipt in first.text
        assert (
            latest.answers and old.answers and (latest.answers["staff_total"], old.answers["staff_total"]) == (40, 36)
        )
        await person.says("填表")
        reply = await person.presses("f:new")
        assert asked_title(reply) == "中心名称"


async def test_giving_up_changes_leaves_what_was_handed_in(tmp_path: Path, pack: Pack) -> None:
    async with form_service(tmp_path, pack) as (store, assistant):
        person = Person(assistant)
        await begun(person)
        await filled(person, COMMON | {"单位类型": "企业"})
        await person.says("确认提交")
        await person.says("修改重交")
        await person.says("中心名称改成青岛市另一个技术创新中心")
        await person.says("放弃")
        reply = await person.says("确认放弃")
        (one,) = await submissions(store)
        assert one.receipt in reply.text and one.answers and one.answers["centre_name"] == COMMON["中心名称"]
        await person.says("修改重交")
        assert COMMON["中心名称"] in (await person.says("看看填了什么")).text


async def test_a_form_that_staff_sent_back_opens_with_their_note_at_the_field(tmp_path: Path, pack: Pack) -> None:
    async with form_service(tmp_path, pack) as (store, assistant):
        person = Person(assistant)
        await begun(person)
        await filled(person, COMMON | {"单位类型": "企业"})
        await person.says("确认提交")
        (one,) = await submissions(store)
        await store.forms.needs_correction(one.id, "请核对面积", "floor_area")
        reply = await person.says("填表")
        assert "请核对面积" in reply.text and asked_title(reply) == "科研用房面积"
