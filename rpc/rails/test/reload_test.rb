# frozen_string_literal: true

require "global_id"
require "open3"

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define { create_table(:documents) { |table| table.string :title } }

class Document < ActiveRecord::Base
  include GlobalID::Identification
end

class ReloadingConnection < ActionCable::Connection::Base
  identified_by :document

  def connect
    self.document = Document.find_by(title: request.params[:user])
  end
end

class ReloadingChannel < ActionCable::Channel::Base
  class << self
    attr_accessor :step
  end

  def step
    transmit({ seen: instance_exec(&self.class.step) })
  end
end

# config.cablestay.state = :reload
class ReloadTest < ActiveSupport::TestCase
  setup do
    GlobalID.app ||= "dummy"
    @document = Document.find_or_create_by!(title: "ann")
    @other = Document.create!(title: "other")
    @connection_class = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { ReloadingConnection }
    reload :reload
  end

  teardown do
    ActionCable.server.config.connection_class = @connection_class
    Cablestay::State::Setting.current = Cablestay::State::Setting.new(:snapshot)
    Document.where(title: nil).delete_all
    @document.update_column(:title, "ann")
  end

  test "records are found again by the next event, as their rows are by then" do
    id = @other.id
    step { @one, @same = Array.new(2) { Document.find(id) }.then { |one, _| [ one, one ] }; @one.title = "unsaved" }
    @other.update!(title: "new")
    seen = nil

    assert_equal 2, queries { seen = step { [ @one.title, @one.equal?(@same) ] } }.size
    assert_equal [ "new", true ], seen
  end

  test "also in arrays, hashes and sets there, which stay what they are" do
    id = @other.id
    step do
      one = Document.find(id)
      @list = [ one, [ { in: one }.with_indifferent_access ], Set[one] ].freeze
      @same = @list
      @keyed = Hash.new(7).merge!({ one => 1 })
      @circle = [ one ].tap { |circle| circle << circle }
      @plain = [ 1 ]
      true
    end
    @other.update!(title: "new")
    seen = nil
    asked = queries do
      seen = step do
        one = @list[0]
        [ one.title, one.equal?(@list[1][0]["in"]), @list[2].first.equal?(one), @list.frozen?, @same.equal?(@list), @keyed[one], @keyed[:none],
          @keyed.keys[0].equal?(one), @circle[0].equal?(one), @circle[1].equal?(@circle), @plain, @list[1][0].class.name ]
      end
    end

    assert_equal [ "new", true, true, true, true, 1, 7, true, true, true, [ 1 ], "ActiveSupport::HashWithIndifferentAccess" ], seen
    assert_equal 2, asked.size # the other is the connection's
  end

  test "new and destroyed records travel as they are, and so does what is inside other objects" do
    id = @other.id
    step { @new, @gone, @holder = Document.new(title: "n"), Document.create!(title: "g").destroy, Struct.new("ReloadHolder", :document).new(Document.find(id)); 1 }
    @other.update!(title: "new")

    assert_equal [ "n", true, "g", true, "other" ], step { [ @new.title, @new.new_record?, @gone.title, @gone.destroyed?, @holder.document.title ] }
  end

  test "a record that is gone is not half restored: the client starts afresh" do
    id = @other.id
    step { @other = Document.find(id); 1 }
    @other.destroy
    answer = nil
    log = Log.of { answer = perform { @other } }

    assert_equal [ { "type" => "disconnect", "reason" => nil, "reconnect" => true } ], answer.frames
    assert_match %r{can't restore .*: there is no gid://\w+/Document/#{id} any more; the client is told to reconnect}, log
  end

  test "the connection's identifiers too, one query for the connection and all who hold it" do
    step { @mine = document; 1 }
    @document.update_column(:title, "bob")
    seen = nil

    assert_equal 1, queries { seen = step { [ @mine.title, document.title, @mine.equal?(document), connection.document.equal?(document) ] } }.size
    assert_equal [ "bob", "bob", true, true ], seen
  end

  test "a record that the connection holds is found once, also where it does not identify it" do
    id = @other.id
    step { @mine = [ connection.instance_variable_set(:@other, Document.find(id)) ]; 1 }
    seen = nil

    assert_equal 2, queries { seen = step { @mine[0].equal?(connection.instance_variable_get(:@other)) } }.size # one is the identifier's
    assert seen
  end

  test "for the connection, or for its channels alone" do
    { { connection: :reload } => %w[ new old ], { channels: :reload } => %w[ old new ] }.each do |setting, expected|
      reload setting
      [ @document, @other ].each { |record| record.update_column(:title, "old") }
      connection = [ @document.id, @other.id ]
      step { connection().document = Document.find(connection[0]); @other = Document.find(connection[1]); 1 }
      [ @document, @other ].each { |record| record.update_column(:title, "new") }

      assert_equal expected, step { [ document.title, @other.title ] }, setting.inspect
      @document.update_column(:title, "ann")
    end
  end

  test "state that travelled before the setting was changed is read all the same" do
    reload :snapshot
    id = @other.id
    step { @other = Document.find(id); 1 }
    @other.update!(title: "new")
    Cablestay::State::Setting.current = Cablestay::State::Setting.new(:reload)

    assert_equal "other", step { @other.title }
    assert_equal "new", step { @other.title }
  end

  test "an event that only looks sends no state" do
    id = @other.id
    step { @other = Document.find(id); @list = [ @other ]; 1 }
    answer = perform { @other.title + document.title }

    assert_equal [ false, false ], [ answer.body.key?("state"), answer.body.key?("connection_state") ]
  end

  test "a setting that is none is an error that names it" do
    [ :reloaded, nil, "reload", { channel: :reload }, { channels: true } ].each do |setting|
      error = assert_raises(Cablestay::ConfigurationError) { Cablestay::State::Setting.new(setting) }
      assert_match(/\Aconfig\.cablestay\.state is #{Regexp.escape(setting.inspect)}: it must be :snapshot, :reload or/, error.message)
    end
  end

  test "the app's configuration is what counts, and a wrong one stops the start" do
    assert_equal "[true, false]\n", start("{ connection: :reload }").first
    _, errors, status = start(":none")

    assert_not status.success?
    assert_includes errors, "config.cablestay.state is :none"
  end

  private
    def reload(setting)
      Cablestay::State::Setting.current = Cablestay::State::Setting.new(setting)
      @client = Bridge.new.client
      @client.subscribe("ReloadingChannel")
    end

    def perform(&block)
      ReloadingChannel.step = block
      @client.perform("ReloadingChannel", "step")
    end

    def step(&block)
      answer = nil
      log = Log.of { answer = perform(&block) }
      answer.messages.fetch(0) { flunk(log) }["seen"]
    end

    def queries
      seen = []
      subscriber = ActiveSupport::Notifications.subscribe("sql.active_record") { |*, payload| seen << payload[:sql] if payload[:sql].include?("documents") }
      yield
      seen
    ensure
      ActiveSupport::Notifications.unsubscribe(subscriber)
    end

    # The dummy app in a process of its own, with this setting.
    def start(setting)
      load_path = $LOAD_PATH.grep(/#{Regexp.escape(File.expand_path("..", __dir__))}/).flat_map { |path| [ "-I", path ] }
      Open3.capture3(RbConfig.ruby, *load_path, "-e", <<~RUBY)
        require "rails"
        require "action_cable/engine"
        require "cablestay"
        ActiveSupport.on_load(:before_initialize) { config.cablestay.state = #{setting} }
        require "dummy/application"
        p %i[ connection channels ].map { |owner| Cablestay::State::Setting.current.reload?(owner) }
      RUBY
    end
end
