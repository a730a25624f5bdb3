# frozen_string_literal: true

# The shape of graphql-ruby's ActionCableSubscriptions: a map of live queries in the process, one stream for each topic, whose
# block runs a query anew, and one for each query, on which the result goes to its client. Only the first query with
# some fingerprint runs for all that have the same.
class LiveQueries
  Query = Struct.new(:id, :topic, :fingerprint, :channel, keyword_init: true)

  class << self
    def instance
      @instance ||= new
    end

    delegate :trigger, :write, :delete, :count_of, to: :instance
  end

  def initialize
    @queries = Concurrent::Map.new
    @topics = Concurrent::Map.new { |topics, topic| topics.compute_if_absent(topic) { Concurrent::Array.new } }
  end

  def trigger(topic, object)
    ActionCable.server.broadcast(event_stream(topic), object)
  end

  def write(query)
    query.channel.stream_from(query_stream(query.id))
    @queries[query.id] = query
    @topics[query.topic] << query
    query.channel.stream_from(event_stream(query.topic), coder: ActiveSupport::JSON) { |object| update(query, object) }
  end

  def delete(id)
    return unless query = @queries.delete(id)

    @topics[query.topic].delete(query)
  end

  def count_of(channel)
    @queries.values.count { |query| query.channel.equal?(channel) }
  end

  private
    def update(query, object)
      group = @topics[query.topic].select { |other| other.fingerprint == query.fingerprint }
      return unless group.first.equal?(query)

      result = { data: { query.fingerprint => object }, ran_by: query.channel.device }
      group.each { |other| ActionCable.server.broadcast(query_stream(other.id), { result: result, more: true }) }
    end

    def event_stream(topic)
      "live_queries_event:#{topic}"
    end

    def query_stream(id)
      "live_queries:#{id}"
    end
end
