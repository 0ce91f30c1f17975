use std::fmt;

macro_rules! codes {
    ($($variant:ident = $code:literal, $title:literal;)*) => {
        /// The stable code of an error. It never changes its meaning; a message may be reworded.
        ///
        /// `CS01…` a component that can't be loaded · `CS02…` a description that is malformed, too large, or warned of ·
        /// `CS03…` a name or type that does not resolve · `CS04…` what was not granted · `CS05…` what
        /// PostgreSQL refused when a statement was described · `CS10…` a caller's request · `CS11…` the
        /// database and its connections · `CS12…` a plugin at run time · `CS13…` the use that an embedding service makes of a reply ·
        /// `CS14…` the server itself · `CS20…` configuration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`: ", $title, ".")] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The code itself, such as `CS0301`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it means, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    NotAComponent = "CS0101", "not a WebAssembly component";
    ForbiddenImport = "CS0102", "the component imports what no plugin may have";
    WrongWorld = "CS0103", "the component is not a plugin of a world that this host knows";
    ComponentTooLarge = "CS0104", "the component is over a limit of its size or shape";
    BadManifest = "CS0105", "the plugin's manifest can't be used";
    CompilationFailed = "CS0106", "the component does not compile";
    ComponentUnreadable = "CS0107", "the component's file can't be read";
    ForbiddenFeature = "CS0108", "the component uses a part of WebAssembly that no plugin may use";
    NotAsPinned = "CS0109", "the component is not the one that was pinned";

    MalformedDescription = "CS0201", "a description can't be read";
    DescriptionTooLarge = "CS0202", "a description is over a limit";
    InvalidStructure = "CS0203", "a description breaks the rules of its format";
    InvalidBinding = "CS0205", "a slot is bound to what the query does not declare";
    WrongStatements = "CS0206", "a plan has other statements than the query declares";
    FanOut = "CS0207", "a warning: an aggregate takes rows that a join has multiplied";
    OtherColumns = "CS0208", "a warning: a reply has other columns for one tenant than for another";
    Uninterruptible = "CS0209", "an operation that PostgreSQL can't interrupt, over a value that can grow";

    UnknownRelation = "CS0301", "no such relation";
    UnknownColumn = "CS0302", "no such column";
    UnknownAlias = "CS0303", "no such alias in scope";
    DuplicateAlias = "CS0304", "an alias is used twice in one FROM";
    UnknownFunction = "CS0305", "no such function";
    UnknownOperator = "CS0306", "no such operator";
    UnknownType = "CS0307", "no such type";
    UnknownCollation = "CS0308", "no such collation";
    UnknownWindow = "CS0309", "no such window";
    UnnamedColumn = "CS0310", "a result column has no name";
    DuplicateColumn = "CS0311", "two result columns have one name";
    InvalidName = "CS0312", "a name that PostgreSQL would not keep";
    UnknownOutputName = "CS0313", "no such column in the select list";
    InvalidConstant = "CS0314", "a constant that its type does not take";
    NoCommonType = "CS0315", "values that have no type together";
    UnknownCast = "CS0316", "no such cast";
    UngroupedColumn = "CS0317", "a column that is neither grouped nor in an aggregate";
    ServerTooOld = "CS0318", "a construct that this version of PostgreSQL does not have";

    RelationNotGranted = "CS0401", "a relation that was not granted";
    FunctionNotGranted = "CS0402", "a function that was not granted";
    TypeNotGranted = "CS0403", "a type that was not granted";
    OperatorNotGranted = "CS0404", "an operator that was not granted";
    CastNotGranted = "CS0405", "a cast whose function was not granted";
    ViewNotGranted = "CS0406", "a relation whose reading reads or runs what was not granted";
    UnfilteredKin = "CS0407", "a relation that has rows of a filtered one, and no filter of its own";
    UnusableFilter = "CS0408", "a row filter that can't be used";
    RiskyGrant = "CS0409", "a warning: a granted function may do more than compute with the login's rights";

    DescribeFailed = "CS0501", "PostgreSQL refuses the statement";
    TooCostly = "CS0502", "a statement costs more than it may";

    UnknownPlugin = "CS1001", "no such plugin";
    UnknownQuery = "CS1002", "no such query";
    UnknownParameter = "CS1003", "no such parameter";
    MissingParameter = "CS1004", "a parameter is missing";
    InvalidParameter = "CS1005", "a parameter has a value that it can't have";
    MissingClaim = "CS1006", "a claim is missing";
    InvalidClaim = "CS1007", "a claim has a value that it can't have";
    BadRequest = "CS1008", "the request can't be read";
    Refused = "CS1009", "the plugin refuses the request";
    NotFound = "CS1010", "there is no such row";
    Forbidden = "CS1011", "the plugin refuses this caller";
    RejectedValue = "CS1012", "PostgreSQL refuses a value of the request, or of the data";
    OutOfDatabaseTime = "CS1013", "the time of the database that such calls may have is used up";
    NotAcceptable = "CS1015", "the reply can't be had in such a format";
    InvalidCursor = "CS1016", "a cursor that is none of this list";
    Unauthenticated = "CS1017", "the caller is not known";
    NotAllowed = "CS1018", "the caller may not call this";
    TooManyRequests = "CS1019", "the caller has made more requests than it may";

    DatabaseUnavailable = "CS1101", "the database can't be reached";
    PoolExhausted = "CS1102", "no connection became free in time";
    StatementFailed = "CS1103", "PostgreSQL failed the statement";
    StatementTimeout = "CS1104", "the statement took too long";
    UnreadableValue = "CS1105", "a value from PostgreSQL can't be read";
    TooManyRows = "CS1106", "more rows than the query may give";
    ReplyTooLarge = "CS1108", "more bytes than a reply may have";
    StaleStatement = "CS1107", "the database changed under a proven statement";
    NoTransaction = "CS1109", "the transaction that was lent is not open";
    TransactionAborted = "CS1110", "the transaction that was lent is aborted";
    NothingLent = "CS1111", "a host without connections of its own was lent none";
    PrivilegedRole = "CS1112", "the role of the connection may see or do more than plugins are granted";
    CallTimeout = "CS1113", "the call took longer than it may";
    NotPermitted = "CS1114", "the role with whose rights a query runs may not read what it reads, or can't be set";
    NotReady = "CS1115", "a database is not there, or the server stops";
    TooManyCalls = "CS1116", "as many calls as may run at once are under way";

    PluginTrapped = "CS1201", "the plugin panicked or trapped";
    PluginTimeout = "CS1202", "the plugin ran too long";
    PluginOutOfMemory = "CS1203", "the plugin used too much memory";
    PluginOutputTooLarge = "CS1204", "the plugin's answer is over a limit";
    PluginDegraded = "CS1205", "the plugin does not prove against this database";
    PluginSuspended = "CS1206", "the plugin is suspended after runs that failed";
    NoCursor = "CS1207", "a page has no cursor to the next one";

    OtherRow = "CS1301", "a row is not what the service reads it as";
    OtherStatement = "CS1302", "the rows of another statement are to be read first";
    NotCancelled = "CS1303", "a call could not be cancelled";
    Cancelled = "CS1304", "a call was cancelled by the service";

    ServerFailed = "CS1401", "the server has failed in a way that nobody foresaw";

    BadConfiguration = "CS2001", "the configuration can't be used";
    BadConnectionSettings = "CS2002", "the connection settings can't be used";
    ReflectionFailed = "CS2003", "the catalog can't be reflected";
    BuildFailed = "CS2004", "the plugin does not build";
    AddressUnavailable = "CS2005", "the address can't be listened on";
    ReloadRefused = "CS2006", "what would be served loses what is served now";
    UnknownSlip = "CS2007", "no such slip";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
