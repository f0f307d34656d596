using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Mending;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages.Mending;

/// <summary>Who sees a row is decided by witnesses, and contradicting ones decide nothing.</summary>
public sealed class WitnessTests
{
    private const string Name = "heap-hot";
    private const int XmaxCommitted = 0x0400, XmaxBits = 0x1CD0, KeysUpdated = 0x2000;

    [Fact]
    public void What_heap_force_kill_left_is_not_brought_back()
    {
        foreach (var word in new[] { new LinePointer(0, LinePointerState.Dead, 0).Encode(), 0u })
        {
            var page = Captured.Page(Name);
            var item = HeapPageInspectorTests.PlainItem(page);
            Patients.Write(page, LinePointer.Position(item), word);
            var evidence = Patients.Evidence(Name);
            if (word == 0) evidence = evidence with { Indexed = evidence.Indexed!.Where(entry => entry != item).ToHashSet() };

            var operation = PageSurgeon.Operate(page, evidence);

            Assert.Empty(operation.Corrections);
            Assert.NotEmpty(operation.Open);
        }
    }

    [Fact]
    public void A_lost_line_pointer_that_only_its_tuple_names_waits_for_a_person()
    {
        var page = Captured.Page(Name);
        Patients.Write(page, LinePointer.Position(HeapPageInspectorTests.PlainItem(page)), 0u);

        var operation = PageSurgeon.Operate(page, Patients.Evidence(Name, indexed: false));

        Assert.True(operation.NeedsApproval);
        Assert.Equal(Captured.Page(Name), operation.Page);
    }

    [Fact]
    public void A_living_row_marked_deleted_comes_back()
    {
        var page = Captured.Page(Name);
        var item = HeapPageInspectorTests.PlainItem(page);
        Hide(page, item, xmax: 720);

        var operation = PageSurgeon.Operate(page, Referenced(item));

        Assert.Empty(operation.Open);
        Assert.False(operation.NeedsApproval);
        Assert.Equal(Captured.Page(Name), operation.Page);
    }

    [Fact]
    public void One_witness_alone_asks_a_person()
    {
        var page = Captured.Page(Name);
        page[10] &= 0xFB;
        var item = HeapPageInspectorTests.PlainItem(page);
        Hide(page, item, xmax: 720);
        Patients.Write(page, 20, 720u);
        var evidence = Referenced(item);

        var operation = PageSurgeon.Operate(page, evidence with { Expected = evidence.Expected with { Block = null } });

        Assert.True(operation.NeedsApproval);
        Assert.Single(Assert.Single(operation.Corrections).Witnesses);
    }

    [Fact]
    public void A_row_that_was_deleted_stays_deleted_whatever_refers_to_it()
    {
        var page = Captured.Page(Name);
        page[10] &= 0xFB;
        var item = HeapPageInspectorTests.PlainItem(page);
        Hide(page, item, xmax: 720);
        Patients.Turn(page, Patients.Offset(page, item) + 18, KeysUpdated);
        Patients.Write(page, 20, 720u);

        var operation = PageSurgeon.Operate(page, Referenced(item));

        Assert.Empty(operation.Corrections);
        Assert.Equal(2, Assert.Single(operation.Open).Witnesses.Select(witness => witness.Supports).Distinct().Count());
    }

    [Fact]
    public void An_xmin_from_the_future_is_frozen_by_two_witnesses_and_by_one_only_when_asked()
    {
        foreach (var (allVisible, asks) in new[] { (true, false), (false, true) })
        {
            var page = Captured.Page(Name);
            if (allVisible) page[10] |= 4;
            else page[10] &= 0xFB;
            var item = HeapPageInspectorTests.PlainItem(page);
            var at = Patients.Offset(page, item);
            var before = Patients.Head(page, item);
            Patients.Write(page, at, 5_000_000u);
            Patients.Write(page, at + 20, (ushort)(before.InfoMask & ~0x0300 | 0x0100));

            var evidence = Patients.Evidence(Name);
            // Without the columns nothing tells that the word which holds the hint is whole.
            var operation = PageSurgeon.Operate(page, asks ? evidence with { Expected = evidence.Expected with { Columns = null } } : evidence);

            Assert.Empty(operation.Open);
            Assert.Equal(asks, operation.NeedsApproval);
            var after = Patients.Head(operation.Page, item);
            Assert.True(after.IsFrozen);
            Assert.Equal(page.AsSpan(at + 23, 20).ToArray(), operation.Page.AsSpan(at + 23, 20).ToArray());
        }
    }

    [Fact]
    public void An_xmin_from_the_future_without_a_witness_stays()
    {
        var page = Captured.Page(Name);
        page[10] &= 0xFB;
        var item = HeapPageInspectorTests.PlainItem(page);
        var at = Patients.Offset(page, item);
        Patients.Write(page, at, 5_000_000u);
        Patients.Write(page, at + 20, (ushort)(Patients.Head(page, item).InfoMask & ~0x0300));

        Assert.Empty(PageSurgeon.Operate(page, Patients.Evidence(Name)).Corrections);
    }

    [Fact]
    public void The_length_of_a_TOAST_chunk_follows_from_its_tuple()
    {
        var page = Captured.Page("toast");
        var pointer = LinePointer.Read(page, 1);
        var at = pointer.Offset + 32;
        var length = BitConverter.ToUInt32(page, at) >> 2;
        Assert.Equal((uint)pointer.Length - 32, length);
        Patients.Write(page, at, 304u << 2);

        var operation = PageSurgeon.Operate(page, new PageEvidence(new HeapExpectations { Columns = ToastChunk.Columns(), ToastRelation = 0 }));

        Assert.Equal(Basis.Arithmetic, Assert.Single(operation.Corrections).Basis);
        Assert.Empty(operation.Open);
        Assert.Equal(Captured.Page("toast"), operation.Page);
    }

    private static PageEvidence Referenced(int item) => Patients.Evidence(Name) with
    {
        Alive = new Dictionary<int, IReadOnlyList<Witness>> { [item] = [new("children", true, "rows of another table refer to it")] },
    };

    private static void Hide(byte[] page, int item, uint xmax)
    {
        var at = Patients.Offset(page, item);
        Patients.Write(page, at + 4, xmax);
        Patients.Write(page, at + 20, (ushort)(Patients.Head(page, item).InfoMask & ~XmaxBits | XmaxCommitted));
    }
}
