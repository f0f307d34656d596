using System.Buffers.Binary;
using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class HeapPageInspectorTests
{
    private delegate void Damage(byte[] page, int item, int offset);

    // Item 2 of the captured page is a plain live tuple: neither redirected nor heap-only.
    private static readonly Dictionary<FlawKind, Damage> Damages = new()
    {
        [FlawKind.ItemMisaligned] = (page, item, offset) => Point(page, item, offset + 4, 40),
        [FlawKind.ItemTooShort] = (page, item, offset) => Point(page, item, offset, 20),
        [FlawKind.ItemBeforeUpper] = (page, item, _) => Point(page, item, 1024, 40),
        [FlawKind.ItemBeyondSpecial] = (page, item, offset) => Point(page, item, offset, 8192 - offset + 8),
        [FlawKind.ItemsOverlap] = (page, item, _) => Copy(page, from: 3, to: item),
        [FlawKind.ItemGap] = (page, item, _) => Point(page, item, 0, 0, LinePointerState.Unused),
        [FlawKind.UnusedWithStorage] = (page, item, offset) => Point(page, item, offset, 40, LinePointerState.Unused),
        [FlawKind.DeadWithStorage] = (page, item, offset) => Point(page, item, offset, 40, LinePointerState.Dead),
        [FlawKind.RedirectTargetOutOfRange] = (page, item, _) => Point(page, item, 290, 0, LinePointerState.Redirect),
        [FlawKind.RedirectToRedirect] = (page, item, _) => Point(page, item, item, 0, LinePointerState.Redirect),
        [FlawKind.RedirectTargetNotHeapOnly] = (page, item, _) => Point(page, item, 1, 0, LinePointerState.Redirect),
        [FlawKind.RedirectWithLength] = (page, item, _) => Point(page, item, 1, 8, LinePointerState.Redirect),
        [FlawKind.HoffWrong] = (page, _, offset) => page[offset + 22] = 99,
        [FlawKind.HoffBeyondTuple] = (page, _, offset) => page[offset + 22] = 248,
        [FlawKind.TooManyAttributes] = (page, _, offset) => page[offset + 18] = 17,
        [FlawKind.NullBitmapWithoutNulls] = (page, _, offset) => { page[offset + 20] |= 1; page[offset + 23] = 0xFF; },
        [FlawKind.NullInNotNullColumn] = (page, _, offset) => { page[offset + 20] |= 1; page[offset + 23] = 0xFE; },
        [FlawKind.XmaxCommittedMulti] = (page, _, offset) => page[offset + 21] |= 0x14,
        [FlawKind.HeapOnlyNotUpdated] = (page, _, offset) => page[offset + 19] |= 0x80,
        [FlawKind.XminInFuture] = (page, _, offset) => { page[offset + 3] = 0x20; page[offset + 21] = 0x09; },
        [FlawKind.XminTooOld] = (page, _, offset) => { Write(page, offset, 100); page[offset + 21] = 0x09; },
        [FlawKind.XmaxInFuture] = (page, _, offset) => { Write(page, offset + 4, 900_000); page[offset + 21] &= 0xF7; },
        [FlawKind.MultiInFuture] = (page, _, offset) => { Write(page, offset + 4, 900); page[offset + 21] = 0x11; },
        [FlawKind.CtidImpossible] = (page, _, offset) => page[offset + 17] = 0x40,
        [FlawKind.AttributeBeyondTuple] = (page, _, offset) => page[offset + 32] = 0xFF,
        [FlawKind.VarlenaHeaderInvalid] = (page, _, offset) => Write(page, offset + 32, 4),
        [FlawKind.ToastTagUnknown] = (page, _, offset) => page[offset + 32] = 1,
        [FlawKind.TupleTailUnread] = (page, _, offset) => page[offset + 32] -= 2,
        [FlawKind.VarlenaWithoutFlag] = (page, _, offset) => page[offset + 20] &= 0xFD,
        [FlawKind.HeapOnlyRoot] = (page, _, offset) => { page[offset + 19] |= 0x80; page[offset + 21] |= 0x21; },
        [FlawKind.AllVisibleDeleted] = (page, _, offset) => { page[10] |= 4; page[offset + 21] = 0x02; },
        [FlawKind.TooManyItems] = (page, _, _) => page[13] = 7,
        [FlawKind.SpecialSpaceWrong] = (page, _, _) => page[17] = 0x1F,
    };

    public static TheoryData<FlawKind> Kinds => [.. Damages.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Finds_what_was_damaged(FlawKind kind)
    {
        var page = Captured.Page("heap-hot");
        var item = PlainItem(page);
        Assert.Empty(Inspect(page));

        Damages[kind](page, item, LinePointer.Read(page, item).Offset);

        Assert.Contains(Inspect(page), flaw => flaw.Kind == kind);
    }

    [Theory]
    [InlineData("heap-hot")]
    [InlineData("heap-wide")]
    [InlineData("heap-toasted")]
    [InlineData("heap-toasted-13")]
    public void A_page_that_a_server_wrote_has_no_flaw(string name) => Assert.Empty(Inspect(Captured.Page(name), name));

    [Fact]
    public void The_map_may_not_claim_more_than_the_page()
    {
        var page = Captured.Page("heap-hot");
        page[10] &= 0xFB;
        var flaws = new List<Flaw>();

        HeapPageInspector.Inspect(page, Expected("heap-hot") with { MapBits = 3 }, flaws);

        Assert.Contains(flaws, flaw => flaw.Kind == FlawKind.MapWithoutPage);
        Assert.Contains(flaws, flaw => flaw.Kind == FlawKind.AllFrozenNotFrozen);
    }

    [Fact]
    public void A_hint_that_contradicts_the_commit_log_is_seen()
    {
        var flaws = new List<Flaw>();

        HeapPageInspector.Inspect(
            Captured.Page("heap-hot"), Expected("heap-hot") with { CommitLog = _ => XidOutcome.Aborted }, flaws);

        Assert.Contains(flaws, flaw => flaw.Kind == FlawKind.HintContradictsLog);
    }

    [Fact]
    public void A_deletion_that_the_hint_denies_and_the_log_knows_is_seen()
    {
        var page = Captured.Page("heap-hot");
        var offset = LinePointer.Read(page, PlainItem(page)).Offset;
        // Xmax invalid, and no locker: only an abort makes it so.
        Write(page, offset + 4, 800);
        page[offset + 20] &= 0x2F;
        page[offset + 21] = (byte)((page[offset + 21] | 0x08) & 0xEB);
        List<Flaw> Against(XidOutcome outcome)
        {
            var flaws = new List<Flaw>();
            HeapPageInspector.Inspect(page, Expected("heap-hot") with { FrozenXid = 0, CommitLog = xid => xid == 800 ? outcome : XidOutcome.Unknown }, flaws);
            return flaws;
        }

        Assert.Contains(Against(XidOutcome.Committed), flaw => flaw.Kind == FlawKind.HintContradictsLog);
        Assert.DoesNotContain(Against(XidOutcome.Aborted), flaw => flaw.Kind == FlawKind.HintContradictsLog);
    }

    [Fact]
    public void Never_throws_on_random_bytes() =>
        Gen.Byte.Array[PageFormat.Size].Sample(page => Survive(page, "heap-wide"), iter: 300);

    [Fact]
    public void Never_throws_on_flipped_bits_of_good_pages() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, PageFormat.Size * 8 - 1].Array[1, 40]).Sample((which, bits) =>
        {
            string[] names = ["heap-hot", "heap-wide", "heap-toasted"];
            var page = Captured.Page(names[which]);
            foreach (var bit in bits) page[bit / 8] ^= (byte)(1 << (bit % 8));
            Survive(page, names[which]);
        }, iter: 1500);

    [Fact]
    public void A_damaged_header_still_lets_every_tuple_be_looked_at()
    {
        var page = Captured.Page("heap-hot");
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(12), 8000);

        Assert.Contains(Inspect(page), flaw => flaw.Kind == FlawKind.LowerBeyondUpper);
    }

    private static void Survive(byte[] page, string name)
    {
        var flaws = Inspect(page, name);
        var lost = new List<LostTuple>();
        LostTuples.Find(page, Expected(name), lost);
        Assert.True(flaws.Count < 20_000 && lost.Count < 400);
        Assert.All(lost, tuple => Assert.InRange(tuple.Offset + tuple.Length, 0, PageFormat.Size));
    }

    private static List<Flaw> Inspect(byte[] page, string name = "heap-hot")
    {
        var flaws = new List<Flaw>();
        HeapPageInspector.Inspect(page, Expected(name), flaws);
        return flaws;
    }

    internal static HeapExpectations Expected(string name) => new()
    {
        Block = name == "heap-wide" ? 3u : 0u,
        Columns = name switch
        {
            "heap-hot" => Captured.HotColumns,
            "heap-wide" => Captured.WideColumns,
            _ => Captured.BigColumns,
        },
        NextXid = 804,
        FrozenXid = name.EndsWith("13", StringComparison.Ordinal) ? 478u : 716u,
        NextMulti = 4,
        MinimumMulti = 1,
        ToastRelation = name switch { "heap-toasted" => 17098u, "heap-toasted-13" => 17062u, _ => null },
        IsBeforeCompressionMethods = name.EndsWith("13", StringComparison.Ordinal),
    };

    internal static int PlainItem(byte[] page) =>
        Enumerable.Range(2, PageHeader.Read(page).ItemCount - 1).First(item =>
        {
            var pointer = LinePointer.Read(page, item);
            if (pointer.State != LinePointerState.Normal) return false;
            var head = HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length));
            return !head.IsHeapOnly && head is { XmaxInvalid: true, HasNulls: false } && head.Ctid.Item == item;
        });

    private static void Point(
        byte[] page, int item, int offset, int length, LinePointerState state = LinePointerState.Normal) =>
        Write(page, LinePointer.Position(item), new LinePointer(offset, state, length).Encode());

    private static void Copy(byte[] page, int from, int to)
    {
        var other = Enumerable.Range(from, 100).First(item =>
            item != to && LinePointer.Read(page, item).State == LinePointerState.Normal);
        Write(page, LinePointer.Position(to), LinePointer.Read(page, other).Encode());
    }

    private static void Write(byte[] page, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(at), value);
}
