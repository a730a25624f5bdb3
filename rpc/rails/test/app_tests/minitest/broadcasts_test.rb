# frozen_string_literal: true

class BroadcastsTest < ActionCable::TestCase
  test "the server's broadcasts are seen" do
    assert_no_broadcasts "notes"
    assert_broadcast_on("notes", { text: "from the server" }) { ActionCable.server.broadcast("notes", { text: "from the server" }) }
    assert_broadcasts "notes", 1
    assert_equal [ '{"text":"from the server"}' ], broadcasts("notes")
    assert_kind_of ActionCable::SubscriptionAdapter::Test, ActionCable.server.pubsub
  end

  test "one test does not see another's" do
    assert_no_broadcasts "notes"
  end
end

class NotesControllerTest < ActionDispatch::IntegrationTest
  include ActionCable::TestHelper

  test "a controller's broadcasts are seen" do
    assert_broadcast_on("notes", { text: "posted" }) { post "/notes", params: { text: "posted" } }
    assert_response :no_content
  end
end
