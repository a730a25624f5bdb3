# frozen_string_literal: true

RSpec.describe NotificationChannel, type: :channel do
  let(:user) { create(:user) }

  before { stub_connection current_user: user, current_account: user.account, connection_id: "one" }

  it "streams the user's notifications and begins with the unread count" do
    create(:notification, recipient: user)
    create(:notification, recipient: user, read_at: 1.day.ago)
    subscribe

    expect(subscription).to have_stream_from("notifications_user_#{user.id}")
    expect(transmissions.last).to eq("type" => "unread_count", "count" => 1)
  end

  it "marks one as read" do
    notification, = Array.new(2) { create(:notification, recipient: user) }
    subscribe
    perform :mark_as_read, notification_id: notification.id

    expect(notification.reload.read_at).to be_present
    expect(transmissions.last).to eq("type" => "marked_read", "notification_id" => notification.id, "unread_count" => 1)
  end

  it "marks all as read" do
    Array.new(2) { create(:notification, recipient: user) }
    subscribe
    perform :mark_all_read

    expect(user.notifications.unread).to be_empty
    expect(transmissions.last).to eq("type" => "all_marked_read", "unread_count" => 0)
  end

  it "does not find somebody else's, and says so" do
    theirs = create(:notification, recipient: create(:user))
    subscribe
    perform :mark_as_read, notification_id: theirs.id

    expect(theirs.reload.read_at).to be_nil
    expect(transmissions.last).to eq("type" => "error", "error" => "Notification not found")
  end
end
