using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Mending;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages.Mending;

/// <summary>A sound page is damaged, mended, and must be what it was.</summary>
public sealed class PageSurgeonTests
{
    // More of them with ./test --all.
    private static readonly int Rounds = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1" ? 30_000 : 500;

    [Theory]
    [InlineData("heap-hot")]
    [InlineData("heap-wide")]
    [InlineData("heap-toasted")]
    [InlineData("heap-toasted-13")]
    public void A_sound_page_is_left_alone(string name)
    {
        var operation = PageSurgeon.Operate(Captured.Page(name), Patients.Evidence(name));

        Assert.Empty(operation.Corrections);
        Assert.Empty(operation.Open);
        Assert.Equal(Captured.Page(name), operation.Page);
    }

    [Fact]
    public void A_page_never_written_is_left_alone() =>
        Assert.Empty(PageSurgeon.Operate(new byte[PageFormat.Size], Patients.Evidence("heap-hot")).Corrections);

    [Fact]
    public void One_wrong_header_field_is_rebuilt() =>
        Gen.Select(Patients.Name, Gen.Int[6, 9], Gen.UShort).Sample((name, half, value) =>
        {
            var page = Captured.Page(name);
            Patients.Write(page, 2 * half, value);
            // A larger pd_lower whose new line pointers are zero is possible: it says the same.
            if (Flaws(page, name).Count == 0) return;
            // What was pruned leaves its bytes in the free space: a pd_upper that takes in just those may as well be a line pointer that was lost.
            List<LostTuple> lost = [];
            if (half == 7) LostTuples.Find(page, Patients.Evidence(name).Expected, lost);
            if (lost.Any(tuple => tuple.Offset == value)) Assert.Empty(PageSurgeon.Operate(page, Patients.Evidence(name)).Corrections);
            else Mended(name, page, approved: false);
        }, iter: 400);

    [Fact]
    public void Lower_and_upper_lost_together_are_rebuilt_when_an_index_agrees() =>
        Gen.Select(Patients.Name, Gen.UShort[8193, 65535], Gen.UShort).Sample((name, upper, lower) =>
        {
            var page = Captured.Page(name);
            Patients.Write(page, 14, upper);
            Patients.Write(page, 12, lower);
            var operation = PageSurgeon.Operate(page, Patients.Evidence(name));
            Assert.True(operation is { IsWhole: true, NeedsApproval: false });
            // A pd_lower that merely counts in unused line pointers is possible, so it stays.
            Assert.DoesNotContain(Differences(Captured.Page(name), operation.Page), difference => difference[..3] is not ("12:" or "13:"));
            for (var item = PageHeader.Read(Captured.Page(name)).ItemCount + 1; item <= PageHeader.Read(operation.Page).ItemCount; item++)
                Assert.Equal(LinePointerState.Unused, LinePointer.Read(operation.Page, item).State);
        }, iter: 60);

    /// <summary>A pd_lower that counts fewer line pointers is possible by itself; with a wrong pd_upper beside it the rows of the others must not be given up.</summary>
    [Fact]
    public void No_line_pointer_that_an_index_leads_to_is_given_up()
    {
        foreach (var name in Patients.Names)
            for (var count = 1; count < PageHeader.Read(Captured.Page(name)).ItemCount; count++)
            {
                var page = Captured.Page(name);
                Patients.Write(page, 14, 29650);
                Patients.Write(page, 12, (ushort)LinePointer.Position(count + 1));
                var operation = PageSurgeon.Operate(page, Patients.Evidence(name));
                Assert.DoesNotContain(Differences(Captured.Page(name), operation.IsWhole ? operation.Page : Captured.Page(name)),
                    difference => difference[..3] is not ("12:" or "13:"));
            }
    }

    [Fact]
    public void A_wrong_data_start_is_recomputed() =>
        Gen.Select(Patients.Any(_ => true), Gen.Byte).Sample((patient, value) =>
        {
            var (name, page, item) = patient;
            var at = Patients.Offset(page, item) + 22;
            if (page[at] == value) return;
            page[at] = value;
            Mended(name, page, approved: false);
        }, iter: 300);

    [Fact]
    public void A_null_bitmap_bit_set_or_lost_is_put_right() =>
        Patients.Any(_ => true).Sample(patient =>
        {
            var (name, page, item) = patient;
            Patients.Turn(page, Patients.Offset(page, item) + 20, 1);
            Mended(name, page, approved: false);
        }, iter: 200);

    [Fact]
    public void A_wrong_number_of_attributes_is_never_guessed() =>
        Gen.Select(Patients.Any(_ => true), Gen.Int[0, 2047]).Sample((patient, count) =>
        {
            var (name, page, item) = patient;
            var at = Patients.Offset(page, item) + 18;
            Patients.Write(page, at, (ushort)(Patients.Head(page, item).InfoMask2 & 0xF800 | count));
            Truthful(name, page);
        }, iter: 300);

    [Fact]
    public void A_damaged_line_pointer_of_a_row_is_never_guessed() =>
        Gen.Select(Patients.Any(head => !head.IsHeapOnly && head.XmaxInvalid), Gen.UInt).Sample((patient, word) =>
        {
            var (name, page, item) = patient;
            Patients.Write(page, LinePointer.Position(item), word);
            if (Flaws(page, name).Count > 0) Truthful(name, page);
        }, iter: 120);

    [Fact]
    public void A_line_pointer_marked_unused_is_set_back_when_an_index_leads_to_it() =>
        Patients.Any(head => !head.IsHeapOnly && head.XmaxInvalid).Sample(patient =>
        {
            var (name, page, item) = patient;
            Patients.Write(page, LinePointer.Position(item), 0u);
            Mended(name, page, approved: false);
        }, iter: 100);

    [Fact]
    public void A_turned_bit_of_length_or_offset_is_never_guessed() =>
        Gen.Select(Patients.Any(head => head.XmaxInvalid && !head.IsHeapOnly), Gen.Int[1, 14], Gen.Bool).Sample((patient, bit, length) =>
        {
            var (name, page, item) = patient;
            Patients.Write(page, LinePointer.Position(item), LinePointer.Read(page, item).Encode() ^ (1u << (length ? bit + 17 : bit)));
            Truthful(name, page);
        }, iter: 150);

    [Fact]
    public void Whatever_bits_rot_no_proven_correction_writes_what_was_not_there() =>
        Gen.Select(Patients.Name, Gen.Int[64, PageFormat.Size * 8 - 1].Array[1, 3]).Sample((name, bits) =>
        {
            var page = Captured.Page(name);
            foreach (var bit in bits) page[bit / 8] ^= (byte)(1 << (bit % 8));
            Truthful(name, page);
        }, iter: Rounds);

    /// <summary>A ratchet: 6,000 single bits, of which about 1,040 can be seen. It may only get better.</summary>
    [Fact]
    public void Of_single_rotted_bits_that_can_be_seen_four_in_ten_are_mended_unasked()
    {
        var random = new Random(7);
        int seen = 0, mended = 0;
        for (var round = 0; round < 6000; round++)
        {
            var name = Patients.Names[round % Patients.Names.Length];
            var page = Captured.Page(name);
            var bit = random.Next(64, PageFormat.Size * 8);
            page[bit / 8] ^= (byte)(1 << (bit % 8));
            // Nobody can know what an impossible value was.
            if (Flaws(page, name).All(flaw => flaw.Kind == FlawKind.ValueImpossible)) continue;
            seen++;
            var operation = PageSurgeon.Operate(page, Patients.Evidence(name));
            if (operation is { IsWhole: true, NeedsApproval: false } && Differences(Captured.Page(name), operation.Page).Count == 0) mended++;
        }
        Assert.True(seen > 900 && mended > seen * 0.44, $"{mended} of {seen}");
    }

    [Fact]
    public void Random_bytes_are_refused() =>
        Gen.Byte.Array[PageFormat.Size].Sample(
            page => Assert.False(PageSurgeon.Operate(page, Patients.Evidence("heap-wide")).IsWhole), iter: 30);

    internal static PageOperation Mended(string name, byte[] damaged, bool approved)
    {
        Assert.NotEmpty(Flaws(damaged, name));
        var operation = PageSurgeon.Operate(damaged, Patients.Evidence(name));
        Assert.Equal([], operation.Open.Select(open => $"{open.Flaw}: {open.Reason}"));
        Assert.Equal(approved, operation.NeedsApproval);
        Assert.Equal(Differences(Captured.Page(name), Captured.Page(name)), Differences(Captured.Page(name), operation.Page));
        return operation;
    }

    // The law that matters: what is changed unasked is what had been there. What nobody can know stays open.
    private static void Truthful(string name, byte[] damaged)
    {
        var sound = Captured.Page(name);
        var operation = PageSurgeon.Operate(damaged, Patients.Evidence(name));
        foreach (var correction in operation.Corrections.Where(correction => !correction.NeedsApproval && correction.At is not 20))
        {
            // To freeze a row that was committed is another number for the same: everybody sees it.
            if (correction.Mends is FlawKind.XminInFuture or FlawKind.XminTooOld && Patients.Head(sound, correction.Item).XminCommitted) continue;
            for (var index = 0; index < correction.After.Length; index++)
            {
                // Bits that it left as they were may be somebody else's damage.
                var (before, after) = (correction.Before.Span[index], correction.After.Span[index]);
                Assert.True(((sound[correction.At + index] ^ after) & (before ^ after)) == 0,
                    $"{name}: {correction.What} ({correction.Mends}, {correction.Basis}) at {correction.At + index}");
            }
        }
    }

    private static List<string> Differences(byte[] sound, byte[] page) =>
        [.. Enumerable.Range(8, PageFormat.Size - 8).Where(at => sound[at] != page[at]).Select(at => $"{at}: {sound[at]} became {page[at]}")];

    private static List<Flaw> Flaws(byte[] page, string name)
    {
        List<Flaw> flaws = [];
        HeapPageInspector.Inspect(page, HeapPageInspectorTests.Expected(name), flaws);
        return flaws;
    }
}
