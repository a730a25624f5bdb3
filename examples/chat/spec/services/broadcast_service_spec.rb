# frozen_string_literal: true

RSpec.describe BroadcastService do
  include ActionCable::TestHelper

  it "broadcasts to everybody in an organization" do
    organization = create(:organization)
    users = Array.new(2) { create(:user, organization: organization) }
    outsider = create(:user)

    BroadcastService.broadcast_to_organization(organization, { type: "announcement" })

    users.each { |user| assert_broadcasts "notifications_user_#{user.id}", 1 }
    assert_broadcasts "notifications_user_#{outsider.id}", 0
  end

  it "publishes through the Redis adapter's own connection and prefix" do
    config = ActionCable.server.config.dup
    config.cable = { adapter: "redis", url: ENV.fetch("REDIS_URL"), channel_prefix: "chat_batch" }.with_indifferent_access
    server = ActionCable::Server::Base.new(config: config)
    allow(ActionCable).to receive(:server).and_return(server)

    published = listen_to("chat_batch:one", "chat_batch:two") do
      BroadcastService.broadcast_to_many(%w[one two], { "n" => 9_007_199_254_740_993, "html" => "<b>" })
    end

    payload = "{\"n\":9007199254740993,\"html\":\"\\u003cb\\u003e\"}"
    expect(published).to contain_exactly([ "chat_batch:one", payload ], [ "chat_batch:two", payload ])
  end

  # What a Redis client of its own hears on these channels while the block runs: one message from each.
  def listen_to(*channels)
    subscribed, heard = Queue.new, Queue.new
    listener = Thread.new do
      Redis.new(url: ENV.fetch("REDIS_URL")).subscribe_with_timeout(5, *channels) do |on|
        on.subscribe { |_, count| subscribed << true if count == channels.size }
        on.message { |channel, payload| heard << [ channel, payload ] }
      end
    rescue Redis::TimeoutError
      heard << nil << nil
    end
    subscribed.pop
    yield
    channels.map { heard.pop }
  ensure
    listener&.kill&.join
  end
end
