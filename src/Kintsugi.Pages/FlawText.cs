using System.Globalization;

namespace Kintsugi.Pages;

/// <summary>The sentence for each flaw, kept apart so that finding one costs no text.</summary>
internal static class FlawText
{
    /// <summary>Place, expected and actual.</summary>
    public static string Of(in Flaw f)
    {
        var what = Storage(f);
        return f.Item == 0 ? what : string.Create(CultureInfo.InvariantCulture, $"item {f.Item}: {what}");
    }

    private static string Storage(in Flaw f) => f.Kind switch
    {
        FlawKind.PageTruncated => $"the page has {f.Actual} of {f.Expected} bytes",
        FlawKind.NewPageWithData => $"the header says the page is new, but byte {f.At} is {f.Actual}",
        FlawKind.PageVersion => $"pd_pagesize_version is 0x{f.Actual:X}, expected 0x{f.Expected:X}",
        FlawKind.PageFlagsUnknown => $"pd_flags is 0x{f.Actual:X}, only the bits of 0x{f.Expected:X} exist",
        FlawKind.LowerTooSmall => $"pd_lower is {f.Actual}, at least {f.Expected} is needed",
        FlawKind.LowerBeyondUpper => $"pd_lower {f.Actual} is beyond pd_upper {f.Expected}",
        FlawKind.UpperBeyondSpecial => $"pd_upper {f.Actual} is beyond pd_special {f.Expected}",
        FlawKind.UpperMisaligned => $"pd_upper is {f.Actual}, not a multiple of 8",
        FlawKind.SpecialBeyondPage => $"pd_special {f.Actual} is beyond the page's {f.Expected} bytes",
        FlawKind.SpecialMisaligned => $"pd_special is {f.Actual}, not a multiple of 8",
        FlawKind.LsnBeyondWal => $"the page's LSN {Lsn(f.Actual)} is beyond the end of WAL {Lsn(f.Expected)}",
        FlawKind.ChecksumMismatch => $"checksum is 0x{f.Actual:X}, the bytes give 0x{f.Expected:X}",
        FlawKind.LowerMisaligned => $"pd_lower is {f.Actual}, which cuts a line pointer",
        FlawKind.TooManyItems => $"the page has {f.Actual} line pointers, at most {f.Expected} fit",
        FlawKind.SpecialSpaceWrong => $"pd_special is {f.Actual}, expected {f.Expected}",
        FlawKind.ItemMisaligned => $"the line pointer leads to byte {f.Actual}, not a multiple of 8",
        FlawKind.ItemTooShort => $"the item has {f.Actual} bytes, at least {f.Expected} are needed",
        FlawKind.ItemBeforeUpper => $"the item begins at byte {f.Actual}, before pd_upper {f.Expected}",
        FlawKind.ItemBeyondSpecial => $"the item ends at byte {f.Actual}, beyond {f.Expected}",
        FlawKind.ItemsOverlap =>
            $"the item begins at byte {f.Actual}, inside the item before it, which ends at {f.Expected}",
        FlawKind.ItemGap => $"{f.Actual} bytes from byte {f.At} belong to no line pointer",
        FlawKind.UnusedWithStorage => $"an unused line pointer says 0x{f.Actual:X}, expected 0",
        FlawKind.DeadWithStorage => $"a dead line pointer has {f.Actual} bytes",
        FlawKind.ItemStateIllegal => $"line pointer state {f.Actual} does not occur on such a page",
        FlawKind.RedirectTargetOutOfRange => $"the redirect leads to item {f.Actual}, the page has {f.Expected}",
        FlawKind.RedirectTargetUnused => $"the redirect leads to item {f.Actual}, which is unused",
        FlawKind.RedirectTargetDead => $"the redirect leads to item {f.Actual}, which is dead",
        FlawKind.RedirectToRedirect => $"the redirect leads to item {f.Actual}, which is a redirect itself",
        FlawKind.RedirectTargetNotHeapOnly =>
            $"the redirect leads to item {f.Actual}, which is not a heap-only tuple",
        FlawKind.RedirectWithLength => $"a redirect has length {f.Actual}, expected 0",
        FlawKind.TwoPredecessors => $"items {f.Actual} and {f.Expected} both continue at this item",
        FlawKind.HotUpdateNotHeapOnly => $"the successor, item {f.Actual}, of a HOT update is not a heap-only tuple",
        FlawKind.PlainUpdateHeapOnly =>
            $"the successor, item {f.Actual}, of an update that was not HOT is a heap-only tuple",
        FlawKind.HeapOnlyRoot => "a committed heap-only tuple without a predecessor",
        _ => Tuple(f),
    };

    private static string Tuple(in Flaw f) => f.Kind switch
    {
        FlawKind.HoffBeyondTuple => $"t_hoff is {f.Actual}, the tuple has {f.Expected} bytes",
        FlawKind.HoffWrong => $"data should begin at byte {f.Expected}, but t_hoff says {f.Actual}",
        FlawKind.TooManyAttributes => $"the tuple has {f.Actual} attributes, the table {f.Expected}",
        FlawKind.NullBitmapWithoutNulls => $"HEAP_HASNULL is set but none of {f.Actual} attributes is null",
        FlawKind.NullInNotNullColumn => $"column {f.Column} is null but NOT NULL",
        FlawKind.XmaxCommittedMulti =>
            $"HEAP_XMAX_COMMITTED and HEAP_XMAX_IS_MULTI are both set (infomask 0x{f.Actual:X})",
        FlawKind.HotUpdatedWithoutXmax => "the tuple is HOT updated but its xmax is 0",
        FlawKind.HeapOnlyNotUpdated =>
            $"the tuple is heap-only but HEAP_UPDATED is not set (infomask 0x{f.Actual:X})",
        FlawKind.XminInFuture => $"xmin {f.Actual} is not before the next transaction id {f.Expected}",
        FlawKind.XminTooOld => $"xmin {f.Actual} precedes the table's frozen horizon {f.Expected}",
        FlawKind.XmaxInFuture => $"xmax {f.Actual} is not before the next transaction id {f.Expected}",
        FlawKind.XmaxTooOld => $"xmax {f.Actual} precedes the table's frozen horizon {f.Expected}",
        FlawKind.MultiInFuture => $"multixact {f.Actual} is not before the next one {f.Expected}",
        FlawKind.MultiTooOld => $"multixact {f.Actual} precedes the table's horizon {f.Expected}",
        FlawKind.PruneXidInFuture => $"pd_prune_xid {f.Actual} is not before the next transaction id {f.Expected}",
        FlawKind.CtidImpossible => $"t_ctid names item {f.Actual} of block {f.Expected}",
        FlawKind.AllVisibleDeleted => $"the page is all-visible but the tuple's infomask is 0x{f.Actual:X}",
        FlawKind.MapWithoutPage => $"the visibility map says {f.Actual}, but PD_ALL_VISIBLE is not set",
        FlawKind.AllFrozenNotFrozen => $"the map says all-frozen but transaction id {f.Actual} is not frozen",
        FlawKind.HintContradictsLog =>
            $"infomask 0x{f.Actual:X} contradicts the commit log, which says {f.Expected} (1 committed, 2 aborted)",
        FlawKind.CommittedUnrecorded => $"the tuple says that transaction {f.Actual} committed, the commit log that it never ended",
        FlawKind.AttributeBeyondTuple =>
            $"column {f.Column} ends at byte {f.Actual} of a tuple of {f.Expected} bytes",
        FlawKind.VarlenaHeaderInvalid => $"column {f.Column} has a length word of 0x{f.Actual:X}",
        FlawKind.TupleTailUnread => $"the columns end at byte {f.Actual} of a tuple of {f.Expected} bytes",
        FlawKind.CompressedTooSmall =>
            $"column {f.Column} says {f.Actual} bytes raw, its compressed form has {f.Expected}",
        FlawKind.CompressionUnknown => $"column {f.Column} names compression method {f.Actual}",
        FlawKind.ToastTagUnknown => $"column {f.Column} has TOAST tag {f.Actual}, expected {f.Expected}",
        FlawKind.ToastWithoutFlag => $"column {f.Column} is external but HEAP_HASEXTERNAL is not set",
        FlawKind.ToastRelationWrong => $"column {f.Column} points into TOAST table {f.Actual}, expected {f.Expected}",
        FlawKind.ToastPointerImpossible =>
            $"column {f.Column}'s TOAST pointer has size {f.Actual} where at most {f.Expected} is possible",
        FlawKind.JsonbImpossible => $"column {f.Column} is no jsonb document: its byte {f.Actual} contradicts the rest",
        FlawKind.ValueImpossible => $"column {f.Column} holds bytes that are no value of {Heap.BuiltInTypes.NameOf((uint)f.Actual)}",
        FlawKind.VarlenaWithoutFlag => $"column {f.Column} is of variable length but HEAP_HASVARWIDTH is not set",
        FlawKind.CStringUnterminated => $"column {f.Column} has no terminating zero before byte {f.Expected}",
        _ => Other(f),
    };

    private static string Other(in Flaw f) => f.Kind switch
    {
        FlawKind.ChunkNull => $"the chunk's column {f.Column} is null",
        FlawKind.ChunkSizeWrong => $"the chunk has {f.Actual} bytes, expected {f.Expected}",
        FlawKind.ChunkHeaderInvalid => $"the chunk's length word is 0x{f.Actual:X}",
        FlawKind.ChunkSequenceNegative => $"chunk number {f.Actual}",
        FlawKind.NotThisKind =>
            $"the special space does not belong to a page of this access method (tag 0x{f.Actual:X}, expected 0x{f.Expected:X})",
        FlawKind.MetaMagicWrong => $"the metapage's magic is 0x{f.Actual:X}, expected 0x{f.Expected:X}",
        FlawKind.MetaVersionWrong => $"the metapage's version is {f.Actual}, expected {f.Expected}",
        FlawKind.IndexTupleSizeWrong => $"the index tuple says {f.Actual} bytes, its line pointer {f.Expected}",
        FlawKind.IndexTupleFlags => $"t_info is 0x{f.Actual:X}",
        FlawKind.HeapTidImpossible => $"the entry leads to block {f.Actual}, item {f.Expected}",
        FlawKind.PostingListImpossible => $"the posting list has {f.Actual} entries in {f.Expected} bytes",
        FlawKind.PostingListOrder => $"entry {f.Actual} of the posting list does not follow the one before",
        FlawKind.PageFlagsImpossible => $"the page's flags are 0x{f.Actual:X}",
        FlawKind.LevelImpossible => $"the page's level is {f.Actual}",
        FlawKind.LinkImpossible => $"the link leads to block {f.Actual}",
        FlawKind.KeyOutOfOrder => "the key is smaller than the key before it",
        FlawKind.DeletedPageHasItems => $"a deleted page has {f.Actual} items",
        FlawKind.OffsetImpossible => $"the field says {f.Actual}, the limit is {f.Expected}",
        FlawKind.MapBitsImpossible => $"heap block {f.Expected} is all-frozen but not all-visible (bits {f.Actual})",
        FlawKind.FreeSpaceTree => $"the tree's node at byte {f.At} is {f.Actual}, its larger child {f.Expected}",
        FlawKind.FileLength => $"the file has {f.Actual} bytes, expected {f.Expected}",
        FlawKind.FileMagic => $"the magic is 0x{f.Actual:X}, expected 0x{f.Expected:X}",
        FlawKind.FileChecksum => $"the CRC is 0x{f.Actual:X}, the bytes give 0x{f.Expected:X}",
        FlawKind.FileVersion => $"the version is {f.Actual}, known are those up to {f.Expected}",
        FlawKind.PageOfAnotherBlock => $"the page was written to the wrong place: its rows say that they lie in block {f.Actual}, and there they are; "
            + $"what block {f.Expected} held is gone from it",
        FlawKind.FieldImpossible => $"the field is {f.Actual}, expected {f.Expected}",
        _ => f.Kind.ToString(),
    };

    private static string Lsn(long value) => $"{(ulong)value >> 32:X}/{value & 0xFFFFFFFF:X}";
}
