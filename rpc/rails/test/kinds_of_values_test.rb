# frozen_string_literal: true

require "global_id"
require "ipaddr"
require "open3"
require "ostruct"
require "pathname"
require "singleton"
require "uri"

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  create_table(:authors) do |table|
    table.string :name
    table.string :type
    table.text :settings
    table.text :extra
    table.integer :level, default: 0
    table.decimal :fee, precision: 10, scale: 2
    table.datetime :seen_at
    table.date :born
    table.boolean :active, default: true
    table.binary :face
  end
  create_table(:books) { |table| table.references :author; table.string :title; table.integer :place }
  create_table(:covers) { |table| table.references :book; table.string :color }
end

class Author < ActiveRecord::Base
  class Tags
    def self.dump(tags)
      tags.to_a.join(",")
    end

    def self.load(text)
      Set.new(text.to_s.split(","))
    end
  end

  attr_accessor :note
  has_many :books
  has_one :first_book, -> { order(:place) }, class_name: "Book"
  has_many :covers, through: :books
  validates :name, presence: true
  attribute :mood, :string, default: -> { "fine" }
  attribute :secret_level, :integer
  Rails.version < "7.1" ? enum(level: { low: 0, high: 1 }) : enum(:level, { low: 0, high: 1 })
  store_accessor :extra, :color
  Rails.version < "7.1" ? serialize(:settings, Tags) : serialize(:settings, coder: Tags)
  Rails.version < "7.1" ? serialize(:extra, JSON) : serialize(:extra, coder: JSON)
end

class Poet < Author
end

class Book < ActiveRecord::Base
  belongs_to :author, optional: true
  has_one :cover
end

class Cover < ActiveRecord::Base
  belongs_to :book
end

class KindsChannel < ApplicationCable::Channel
  class << self
    attr_accessor :step
  end

  def step
    instance_exec(&self.class.step)
    transmit({ done: true })
  end
end

# What apps keep in the instance variables of a channel is there in the next events, as it was.
class KindsOfValuesTest < ActiveSupport::TestCase
  Point = Struct.new(:x, :y)
  Named = Struct.new(:x, :y, keyword_init: true)
  Coordinate = Data.define(:x, :y) if defined?(Data.define)
  class Plain
    attr_accessor :a, :b
  end
  class OwnWay
    attr_reader :a
    def initialize(a)
      @a = a
      @cache = -> { }
    end

    def marshal_dump
      [ @a ]
    end

    def marshal_load(values)
      @a, = values
      @cache = -> { }
    end
  end
  class Failure < StandardError
    attr_reader :code
    def initialize(message = "failed", code: 7)
      super(message)
      @code = code
    end
  end
  class Only
    include Singleton
  end
  class AnswersAll
    def respond_to_missing?(*)
      true
    end

    def method_missing(*)
    end
  end
  module Talking
    def say
      "hi"
    end
  end
  class Listed < Array
    attr_accessor :owner
  end
  TOKYO = Time.find_zone("Tokyo")

  # Kind => [ what is kept, what an app sees of it ].
  same = ->(value) { value }
  VALUES = {
    "nil, true and false" => [ -> { [ nil, true, false ] }, same ],
    "numbers" => [ -> { [ 1, -2**80, 1.5, Float::INFINITY, -0.0, 1/3r, Complex(1, 2), BigDecimal("1.10"), BigDecimal("1e-200") ] }, ->(value) { value.map { |number| [ number, number.class, number.to_s ] } } ],
    "not a number" => [ -> { [ Float::NAN, BigDecimal("NaN") ] }, ->(value) { value.map(&:nan?) } ],
    "strings of many encodings" => [ lambda {
      [ "é", "\xff\x00".b, "é".encode("ISO-8859-1"), "日".encode("Shift_JIS"), "日".encode("UTF-16LE"), "a".encode("US-ASCII"), "\xe9".dup.force_encoding("UTF-8"), "" ]
    }, ->(value) { value.map { |string| [ string, string.encoding, string.valid_encoding? ] } } ],
    "symbols" => [ -> { [ :a, :"with space", :"é" ] }, same ],
    "ranges" => [ -> { [ 1..3, 1...3, 1.., ..3, "a".."c", Time.utc(2026)..Time.utc(2027), (TOKYO.local(2026)..) ] }, same ],
    "regular expressions" => [ -> { [ /a+/mix, Regexp.new("é", Regexp::EXTENDED), /\xff/n ] }, ->(value) { value.map { |regexp| [ regexp, regexp.options, regexp.encoding ] } } ],
    "times with zones" => [ -> { [ TOKYO.local(2026, 1, 2, 3, 4, 5.678), Time.find_zone("UTC").at(0) ] },
      ->(value) { value.map { |time| [ time, time.nsec, time.time_zone.name, time.zone, time.class, time.utc_offset ] } } ],
    "times" => [ -> { [ Time.at(1, 123_456_789, :nsec), Time.utc(2026, 1, 2), Time.new(2026, 1, 2, 3, 4, 5, "+05:30") ] },
      ->(value) { value.map { |time| [ time, time.nsec, time.utc_offset, time.utc? ] } } ],
    "dates" => [ -> { [ Date.new(2026, 1, 2), DateTime.new(2026, 1, 2, 3, 4, 5.5, "+2"), Date.new(1500, 1, 1) ] }, ->(value) { value.map { |date| [ date, date.class, date.to_s ] } } ],
    "durations" => [ -> { [ 3.days, 1.month + 2.hours, 0.seconds ] }, ->(value) { value.map { |duration| [ duration, duration.class, duration.parts, duration.inspect ] } } ],
    "time zones" => [ -> { TOKYO }, ->(zone) { [ zone.name, zone.local(2026) ] } ],
    "sets" => [ -> { [ Set[1, :b, Set[2]], Set.new.compare_by_identity << "a" ] }, ->(value) { value.map { |set| [ set.to_a, set.class, set.compare_by_identity? ] } } ],
    "structs" => [ -> { [ Point.new(1, [ 2 ]), Named.new(x: 1, y: nil) ] }, same ],
    "open structs" => [ -> { OpenStruct.new(a: 1, b: OpenStruct.new(c: 2)) }, ->(value) { [ value, value.b.c, value[:a], value.to_h ] } ],
    "hashes with a default" => [ -> { Hash.new(0).merge!(a: 1) }, ->(value) { [ value, value[:none], value.default ] } ],
    "hashes by identity" => [ -> { {}.compare_by_identity.merge!(:a => 1, 7 => 2) }, ->(value) { [ value.to_a, value.compare_by_identity? ] } ],
    "indifferent hashes" => [ -> { { a: { b: [ { c: 1 } ] } }.with_indifferent_access }, ->(value) { [ value, value.class, value[:a]["b"][0][:c], value["a"].class ] } ],
    "parameters" => [ -> { ActionController::Parameters.new(a: { b: 1 }, c: [ { d: 2 } ]) }, ->(value) { [ value, value.permitted?, value[:a].class, value[:a][:b], value[:c][0][:d] ] } ],
    "permitted parameters" => [ -> { ActionController::Parameters.new(a: { b: 1 }, c: 2).permit(:c, a: :b) }, ->(value) { [ value.permitted?, value[:a].permitted?, value.to_h ] } ],
    "safe strings" => [ -> { [ "<b>".html_safe, "<b>".html_safe + "<", ActiveSupport::SafeBuffer.new("a").concat("<") ] }, ->(value) { value.map { |string| [ string, string.html_safe?, string.class ] } } ],
    "ordered options" => [ -> { ActiveSupport::OrderedOptions.new.tap { |options| options.a = { b: 1 } } }, ->(value) { [ value.a, value[:a], value.class ] } ],
    "inquirers" => [ -> { [ "live".inquiry, ActiveSupport::ArrayInquirer.new([ :phone ]) ] }, ->(value) { [ value[0].live?, value[0].dead?, value[1].phone? ] } ],
    "addresses and paths" => [ -> { [ URI("https://example.test:8080/a?b=1#c"), URI("mailto:a@b.test"), Pathname.new("/a/b"), IPAddr.new("10.0.0.0/8") ] }, same ],
    "encodings" => [ -> { Encoding::UTF_8 }, same ],
    "GlobalIDs" => [ -> { GlobalID.parse("gid://dummy/Author/1") }, same ],
    "plain objects" => [ -> { Plain.new.tap { |plain| plain.a = [ plain ]; plain.b = Point.new(plain, 1) } }, ->(value) { [ value.class, value.a[0].equal?(value), value.b.x.equal?(value), value.b.y ] } ],
    "objects that marshal themselves" => [ -> { OwnWay.new([ 1 ]) }, ->(value) { [ value.a, value.class ] } ],
    "objects of extended classes" => [ -> { [ [ 1 ].extend(Talking), Listed.new([ 1 ]).tap { |list| list.owner = "me" } ] }, ->(value) { [ value[0].say, value[1], value[1].class, value[1].owner ] } ],
    "singletons" => [ -> { Only.instance }, ->(value) { value.equal?(Only.instance) } ],
    "errors" => [ -> { begin; raise Failure.new("no", code: 9); rescue Failure => error; error; end }, ->(value) { [ value.message, value.class, value.code, value.backtrace ] } ],
    "classes and modules" => [ -> { [ Author, Talking, Comparable, Point ] }, same ],
    "shared and cyclic references" => [ lambda {
      list = [ 1 ]
      hash = { list: list }
      hash[:self] = hash
      [ list, hash, list ]
    }, ->(value) { [ value[0].equal?(value[2]), value[1][:list].equal?(value[0]), value[1][:self].equal?(value[1]) ] } ],
    "frozen objects" => [ -> { [ [ "a".dup.freeze ].freeze, { a: [ 1 ].freeze }, Point.new(1, 2).freeze, Plain.new.freeze, Set[1].freeze, OpenStruct.new(a: 1).freeze ] },
      ->(value) { value.map(&:frozen?) + [ value[0][0].frozen?, value[1][:a].frozen?, value.frozen? ] } ],
    "200 KB of them" => [ -> { Array.new(2_000) { |n| { id: n, "name" => "name #{n}", at: Time.at(n), list: [ n, n.to_s * 10 ] } } }, same ],

    "a saved record" => [ -> { KindsOfValuesTest.author.tap { |one| one.note = [ 1 ] } },
      ->(one) { [ one, one.attributes, one.persisted?, one.changed?, one.note, one.fee.class, one.seen_at.class, one.low?, one.face ] } ],
    "a record whose type is a subclass" => [ -> { Poet.create!(name: "p").then { |one| Author.find(one.id) } }, ->(one) { [ one.class, one.name ] } ],
    "a new record" => [ -> { Author.new(name: "new", settings: Set["a"], fee: "1.5") }, ->(one) { [ one.attributes, one.new_record?, one.changes, one.mood, one.settings ] } ],
    "a record with unsaved changes" => [ -> { KindsOfValuesTest.author.tap { |one| one.name = "else"; one.settings << "z"; one.level = :high; one.color = "red"; one.secret_level = "3" } },
      ->(one) { [ one.name, one.changes, one.name_was, one.settings, one.high?, one.color, one.secret_level, one.has_changes_to_save? ] } ],
    "a record that was saved before" => [ -> { Author.create!(name: "before").then { |one| Author.find(one.id) }.tap { |one| one.update!(name: "saved") } }, ->(one) { [ one.saved_changes, one.saved_change_to_name?, one.name_before_last_save, one.previous_changes ] } ],
    "a record that has just been created" => [ -> { Author.create!(name: "created") }, ->(one) { [ one.previously_new_record?, one.saved_changes.keys ] } ],
    "a destroyed record" => [ -> { Author.create!(name: "gone").destroy }, ->(one) { [ one.destroyed?, one.persisted?, one.frozen?, one.name ] } ],
    "an invalid record" => [ -> { Author.new.tap(&:valid?) }, ->(one) { [ one.errors.full_messages, one.errors[:name], one.errors.of_kind?(:name, :blank) ] } ],
    "a record that was given what is no number" => [ -> { KindsOfValuesTest.author.tap { |one| one.fee = "much"; one.born = "2026-13-45"; one.name = 7 } },
      ->(one) { [ one.fee_before_type_cast, one.fee, one.born_before_type_cast, one.born, one.name, one.changes ] } ],
    "a record that was given something and had it changed" => [ -> { KindsOfValuesTest.author.tap { |one| one.name = +"else"; one.name << "!" } }, ->(one) { [ one.name, one.changes ] } ],
    "a record of which something will change" => [ -> { KindsOfValuesTest.author.tap(&:name_will_change!) }, ->(one) { [ one.changed, one.name_changed?, one.changes ] } ],
    "a record of which something was to change when it was saved" => [ -> { KindsOfValuesTest.author.tap(&:name_will_change!).tap(&:save!) }, ->(one) { [ one.saved_changes, one.changed? ] } ],
    "a read-only record" => [ -> { KindsOfValuesTest.author.tap(&:readonly!) }, ->(one) { one.readonly? } ],
    "a record with some of its columns, and more" => [ -> { Author.select("authors.id, 1 AS one").find(KindsOfValuesTest.author.id) }, ->(one) { [ one.one, one.attributes, one.has_attribute?(:name) ] } ],
    "a record with loaded associations" => [ -> { Author.preload(:first_book, books: :cover).find(KindsOfValuesTest.author.id) },
      ->(one) { [ one.books.loaded?, one.books.map(&:title), one.books.map { |book| book.cover&.color }, one.first_book.title, one.books[0].author.equal?(one) ] } ],
    "a record with what was built for it" => [ -> { KindsOfValuesTest.author.tap { |one| one.books.build(title: "built") } }, ->(one) { [ one.books.reject(&:persisted?).map(&:title), one.books.reject(&:persisted?)[0].author.equal?(one) ] } ],
    "a record and what belongs to it" => [ -> { KindsOfValuesTest.author.books.preload(:author).first.then { |book| [ book, book.author ] } }, ->((book, one)) { [ book.title, book.author.equal?(one), one.name ] } ],
    "a relation" => [ -> { Author.where(name: "ann").order(:id).limit(3) }, ->(value) { [ value.loaded?, value.to_sql, value.class.name, value.limit_value ] } ],
    "a loaded relation" => [ -> { Book.order(:id).limit(2).load }, ->(value) { [ value.loaded?, value.map(&:title), value.size ] } ],
    "an association" => [ -> { KindsOfValuesTest.author.books }, ->(value) { [ value.loaded?, value.to_sql ] } ],
    "a loaded association" => [ -> { KindsOfValuesTest.author.books.load }, ->(value) { [ value.loaded?, value.map(&:title), value.proxy_association.owner ] } ],
    "an association through another" => [ -> { KindsOfValuesTest.author.covers.load }, ->(value) { [ value.loaded?, value.map(&:color) ] } ],
    "records in other objects" => [ -> { Point.new({ KindsOfValuesTest.author => [ KindsOfValuesTest.author ] }, Set[KindsOfValuesTest.author]) }, ->(value) { [ value.x.keys, value.x[KindsOfValuesTest.author], value.y.include?(KindsOfValuesTest.author) ] } ]
  }
  VALUES["data"] = [ -> { Coordinate.new(x: 1, y: [ Coordinate.new(x: 2, y: 3) ]) }, ->(value) { [ value, value.frozen?, value.y[0].x ] } ] if defined?(Data.define)
  VALUES["sorted sets"] = [ -> { SortedSet[3, 1, 2] }, ->(value) { [ value.to_a, value.class ] } ] if begin; require "sorted_set"; rescue LoadError; end

  # Kind => what can't travel.
  LEFT_OUT = {
    "a method" => -> { "a".method(:upcase) }, "a proc" => -> { -> { } }, "an enumerator" => -> { [ 1 ].each }, "a lazy one" => -> { [ 1 ].lazy },
    "a hash with a default block" => -> { Hash.new { } }, "a thread" => -> { Thread.current }, "a lock" => -> { Mutex.new }, "a monitor" => -> { Monitor.new },
    "a queue" => -> { Queue.new }, "a file" => -> { File.open(File::NULL) }, "a string stream" => -> { StringIO.new },
    "an object of a class without a name" => -> { Class.new.new }, "an object with a method of its own" => -> { Object.new.tap { |object| def object.a = 1 } },
    "inherited options" => -> { ActiveSupport::InheritableOptions.new({ a: 1 }) }, "an atomic" => -> { Concurrent::AtomicFixnum.new },
    "an object that answers to everything" => -> { [ AnswersAll.new ] }, "a match" => -> { /a/.match("a") }
  }

  setup do
    @client = Bridge.new.client
    @client.subscribe("KindsChannel")
    Author.find_or_create_by!(name: "ann") do |author|
      author.assign_attributes(fee: "9.90", seen_at: Time.utc(2026, 1, 2), born: Date.new(2000, 1, 2), settings: Set["x", "y"], extra: { "color" => "blue" }, face: "\xff\x00".b)
      author.books.build(title: "one", place: 1).build_cover(color: "blue")
      author.books.build(title: "two", place: 2)
    end
  end

  teardown { Author.where.not(name: "ann").delete_all }

  def self.author
    Author.find_by!(name: "ann")
  end

  VALUES.each do |kind, (make, look)|
    test "#{kind}: kept as it was" do
      before = again = nil
      step { @kept = make.call; before = look.call(make.call) }
      step { @kept }
      step { again = look.call(@kept) }

      assert_equal before, again
    end
  end

  test "no query is made to restore any of them, nor to look at what was loaded" do
    step { VALUES.each_value.with_index { |(make, _), n| instance_variable_set("@kept_#{n}", make.call) } }
    asked = KindsOfValuesTest.queries_while { step { @kept_1 } }

    assert_equal [], asked
  end

  LEFT_OUT.each do |kind, make|
    test "#{kind}: named in the log, and the rest survives" do
      log = Log.of { step { @kept, @lost = [ 1 ], make.call } }
      seen = nil
      step { seen = [ @kept, instance_variable_defined?(:@lost) ] }

      assert_equal [ [ 1 ], false ], seen
      assert_match(/KindsChannel loses @lost \(.+\) at the end of this event/, log)
    end
  end

  test "outside of an event, options are marshalled as Rails does" do
    options = ActiveSupport::OrderedOptions.new.tap { |some| some.a = 1 }
    assert_equal({}, Marshal.load(Marshal.dump(options)))
  end

  if Rails.version >= "7.1" && ENV["DUMMY_MARSHALLING"].nil?
    test "all of it in the other format of Rails' for records too" do
      other = ActiveRecord::Marshalling.format_version == 7.1 ? "6.1" : "7.1"
      out, status = Open3.capture2e({ "DUMMY_MARSHALLING" => other }, RbConfig.ruby, File.expand_path("../bin/test", __dir__), __FILE__)

      assert status.success?, out
      assert_match(/\b#{VALUES.size + LEFT_OUT.size + 2} runs/, out)
    end
  end

  def self.queries_while
    seen = []
    subscriber = ActiveSupport::Notifications.subscribe("sql.active_record") { |*, payload| seen << payload[:sql] unless payload[:name] == "SCHEMA" }
    yield
    seen
  ensure
    ActiveSupport::Notifications.unsubscribe(subscriber)
  end

  private
    def step(&block)
      KindsChannel.step = block
      answer = nil
      log = Log.of { answer = @client.perform("KindsChannel", "step") }
      ActionCable.server.config.logger.info(log) if ActionCable.server.config.logger
      assert_equal [ { "done" => true } ], answer.messages, log
    end
end
